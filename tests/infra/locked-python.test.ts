import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ROOT } from '../../infra/build/kept-build.mjs';

// Creating a virtual environment takes seconds, and on a busy machine a minute.
vi.setConfig({ testTimeout: 300_000 });

let folder: string;
let lock: string;

/** The smallest wheel there is. */
const PACK = `
import sys, zipfile
info = 'tiny-1.0.dist-info'
files = {
    'tiny.py': 'ANSWER = 42',
    f'{info}/METADATA': 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0',
    f'{info}/WHEEL': 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any',
}
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    for name, text in files.items(): wheel.writestr(name, text)
    wheel.writestr(f'{info}/RECORD', ''.join(f'{name},,\\n' for name in [*files, f'{info}/RECORD']))
`;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-locked-python-'));
  const wheel = path.join(folder, 'tiny-1.0-py3-none-any.whl');
  execFileSync('python3', ['-c', PACK, wheel]);
  const digest = createHash('sha256')
    .update(await readFile(wheel))
    .digest('hex');
  lock = path.join(folder, 'tiny.lock');
  await writeFile(lock, `tiny @ file://${wheel} --hash=sha256:${digest}\n`);
});

afterEach(() => rm(folder, { recursive: true }));

type Call = { process: ChildProcess; ended: Promise<{ code: number | null; said: string; printed: string }> };

function call(): Call {
  const process_ = spawn(path.join(ROOT, 'models/locked-python.sh'), [lock, '-c', 'import tiny; print(tiny.ANSWER)'], {
    env: { ...process.env, XDG_CACHE_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, printed] = ['', ''];
  process_.stderr!.on('data', (text) => {
    said += text;
  });
  process_.stdout!.on('data', (text) => {
    printed += text;
  });
  return { process: process_, ended: once(process_, 'close').then(([code]) => ({ code, said, printed })) };
}

test('simultaneous calls create one environment, and each runs in it', async () => {
  const ends = await Promise.all([1, 2, 3].map(() => call().ended));
  for (const { code, printed, said } of ends) expect({ code, printed }, said).toEqual({ code: 0, printed: '42\n' });
  expect(ends.filter(({ said }) => said.includes('installing /'))).toHaveLength(1);
});

test('an environment whose creation was killed is created again', async () => {
  const first = call();
  const environments = path.join(folder, 'pixart-batch', 'python');
  const hasBegun = async () => (await readdir(environments).catch(() => [])).some((name) => !name.endsWith('.lock'));
  await expect.poll(hasBegun, { interval: 20 }).toBe(true);
  first.process.kill('SIGKILL');
  await first.ended;
  expect(await call().ended).toMatchObject({ code: 0, printed: '42\n' });
  expect(await call().ended).toMatchObject({ code: 0, printed: '42\n', said: '' });
});
