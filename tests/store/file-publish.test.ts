import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publishByClaim, publishOnce } from '../../store/file-publish.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-batch-publish-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe.each([
  ['by hard link', publishOnce],
  ['by claim and rename, for file systems without hard links', publishByClaim],
])('giving a finished file its name %s', (_, publish) => {
  async function write(content: string): Promise<boolean> {
    const temp = join(folder, `temp-${content}`);
    await writeFile(temp, content);
    return publish(temp, join(folder, 'target'), join(folder, 'claim'));
  }

  test('succeeds for exactly one of twenty', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, writer) => write(String(writer))));
    expect(results.filter(Boolean)).toHaveLength(1);
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe(String(results.indexOf(true)));
    expect(await readdir(folder)).not.toContain('claim');
  });

  test('succeeds after a writer died holding its claim', async () => {
    await writeFile(join(folder, 'claim'), '');
    const longAgo = new Date(Date.now() - 3600_000);
    await utimes(join(folder, 'claim'), longAgo, longAgo);
    expect(await write('a')).toBe(true);
    expect(await write('b')).toBe(false);
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('a');
  });
});
