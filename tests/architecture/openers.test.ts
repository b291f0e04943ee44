import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What opens a place that somebody named, as a value: types of the same modules are fine. */
const OPENER = /\b(openStore|readUrl|termsReader)\b|from 'node:(fs|fs\/promises|http|https|net)'/;

const ownImports = (source: string): string[] => source.match(/^import [^;]*;/gm) ?? [];

test('activities and records open nothing but by what they are handed, which looks whether it is allowed', async () => {
  const found: string[] = [];
  for (const folder of ['activities', 'records']) {
    for (const name of await readdir(path.join(ROOT, folder), { recursive: true })) {
      if (!name.endsWith('.ts')) continue;
      const source = await readFile(path.join(ROOT, folder, name), 'utf8');
      if (ownImports(source).some((line) => OPENER.test(line)) || /\bfetch\(/.test(source))
        found.push(`${folder}/${name}`);
    }
  }
  expect(found).toEqual([]);
});

test('nothing signs an address, with which anybody could read what an account may: histories and pages keep what they are told', () => {
  const signs = 'getSignedUrl|generateSigned|signBlob';
  const grep = () => execFileSync('git', ['grep', '-lE', signs, '--', '*.ts', '*.mjs', ':!tests'], { cwd: ROOT });
  expect(grep).toThrow(expect.objectContaining({ status: 1 }));
});
