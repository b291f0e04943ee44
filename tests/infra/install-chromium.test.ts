import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureChromium } from '../../infra/dev/install-chromium.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-chromium-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const program = (name: string, text: string) => writeFile(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });

test('a Chromium on the PATH is used as it is', async () => {
  await program('google-chrome', '');
  vi.stubEnv('PATH', folder);
  expect(await ensureChromium()).toEqual({ executable: join(folder, 'google-chrome'), env: {} });
});

test.skipIf(process.platform !== 'linux' || process.arch !== 'x64')(
  'a package with another checksum is not installed, and nothing of it is left behind',
  async () => {
    await program('npm', 'printf changed > "$4/sparticuz-chromium-153.0.0.tgz"');
    vi.stubEnv('PATH', folder);
    await expect(ensureChromium()).rejects.toThrow(/expected the SHA-512 .*, found /);
    expect(await readdir(join(folder, 'cache', 'pixart-batch'))).toEqual([]);
  },
);
