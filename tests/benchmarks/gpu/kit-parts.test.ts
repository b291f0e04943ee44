import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bytesOf, DIGESTS, writeParts } from '../../../benchmarks/gpu/kit-parts.ts';
import { lockOf, neededBy } from '../../../benchmarks/gpu/kit-wheels.ts';

const JOIN = path.join(import.meta.dirname, '../../../benchmarks/gpu/join.sh');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gpu-kit-'));
});

afterEach(() => rm(folder, { recursive: true }));

it('cuts a stream into parts of one size, whatever pieces it comes in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 64 }),
      async (chunks, bytes) => {
        const target = await mkdtemp(path.join(folder, 'parts-'));
        const whole = Buffer.concat(chunks);
        const names = await writeParts(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), target, bytes);
        const parts = await Promise.all(names.map((name) => readFile(path.join(target, name))));
        expect(Buffer.concat(parts).equals(whole)).toBe(true);
        expect(parts.slice(0, -1).every((part) => part.length === bytes)).toBe(true);
        expect(parts.at(-1)?.length ?? 1).toBeGreaterThan(0);
      },
    ),
    { numRuns: 30 },
  );
});

/** A kit in parts, with the script that joins it. */
async function packed(): Promise<string> {
  const [source, parts] = [path.join(folder, 'source'), path.join(folder, 'parts')];
  await mkdir(path.join(source, 'inner'), { recursive: true });
  await mkdir(parts);
  await writeFile(path.join(source, 'inner/file'), Buffer.alloc(100_000, 'random enough: '));
  await writeFile(path.join(source, 'run.sh'), 'echo it runs', { mode: 0o755 });
  const archive = execFileSync('tar', ['-czf', '-', '-C', source, '.']);
  await writeParts(Readable.from([archive]), parts, 200);
  await cp(JOIN, path.join(parts, 'join.sh'));
  return parts;
}

const join = (parts: string, target: string) =>
  spawnSync('sh', [path.join(parts, 'join.sh'), target], { encoding: 'utf8', cwd: folder });

it('is joined as it was', async () => {
  const parts = await packed();
  expect((await readdir(parts)).length).toBeGreaterThan(3);
  const { status, stdout, stderr } = join(parts, 'kit');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('sh kit/run.sh');
  expect(await readFile(path.join(folder, 'kit/inner/file'))).toEqual(
    await readFile(path.join(folder, 'source/inner/file')),
  );
  expect((await stat(path.join(folder, 'kit/run.sh'))).mode & 0o111).toBeGreaterThan(0);
});

it.each([
  ['damaged', (file: string) => writeFile(file, 'other bytes')],
  ['missing', (file: string) => rm(file)],
])('names a part that is %s, and joins nothing', async (_, spoil) => {
  const parts = await packed();
  await spoil(path.join(parts, 'kit.tar.gz.001'));
  const { status, stderr } = join(parts, 'kit');
  expect(status).toBe(1);
  expect(stderr).toContain('kit.tar.gz.001');
  expect(stderr).toContain('Copy these again.');
  expect(await readdir(folder)).not.toContain('kit');
});

it('overwrites no folder', async () => {
  const parts = await packed();
  await mkdir(path.join(folder, 'kit'));
  const { status, stderr } = join(parts, 'kit');
  expect(status).toBe(1);
  expect(stderr).toContain('expected kit not to be there yet');
});

it('lists the digest of each part', async () => {
  const parts = await packed();
  const lines = (await readFile(path.join(parts, DIGESTS), 'utf8')).trim().split('\n');
  expect(lines).toHaveLength((await readdir(parts)).length - 2);
  for (const line of lines) expect(line).toMatch(/^[0-9a-f]{64} {2}kit\.tar\.gz\.\d{3}$/);
});

it('knows sizes by their units', () => {
  expect(['60MB', '1.5 GB', '20kB'].map(bytesOf)).toEqual([60e6, 1.5e9, 20e3]);
  for (const text of ['60', 'MB', '0MB', '60mb', '-1MB'])
    expect(() => bytesOf(text)).toThrow('expected a size such as 60MB');
});

it('takes some packages of a lock, with their digests', () => {
  const lock =
    '# comment\na-b==1.0 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via c\nc==2.0 ; python_version < "4" \\\n    --hash=sha256:3\n';
  expect(lockOf(lock, (name) => name === 'a-b')).toBe(
    'a-b==1.0 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n    # via c\n',
  );
  expect(lockOf(lock, (name) => name !== 'a-b')).toBe('c==2.0 ; python_version < "4" \\\n    --hash=sha256:3\n');
});

it('knows what a package of a lock needs, by the comments that say who needs what', () => {
  const lock = [
    ...['a==1.0 \\', '    --hash=sha256:1', '    # via -r requirements.in'],
    ...['b==1.0 ; python_version < "4" \\', '    --hash=sha256:2', '    # via', '    #   a', '    #   z.y'],
    ...['c-d==1.0 \\', '    --hash=sha256:3', '    # via b'],
    ...['e==1.0 \\', '    --hash=sha256:4', '    # via z.y'],
  ].join('\n');
  expect([...neededBy(lock, 'a')]).toEqual(['a', 'b', 'c-d']);
  expect([...neededBy(lock, 'z.y')]).toEqual(['z.y', 'b', 'e', 'c-d']);
});

it('knows what the locked diffusers needs, also at second hand', async () => {
  const lock = await readFile(path.join(import.meta.dirname, '../../../models/requirements.lock'), 'utf8');
  const needed = [...neededBy(lock, 'diffusers')];
  expect(needed).toEqual(expect.arrayContaining(['diffusers', 'importlib-metadata', 'lazy-importer', 'pillow']));
  expect(needed).not.toContain('torch');
});

it('finds the libraries of CUDA 13 that torch or the kit brings, torch first, and none of CUDA 12', async () => {
  const kit = path.join(folder, 'kit');
  const library = async (file: string): Promise<string> => {
    await mkdir(path.dirname(path.join(kit, file)), { recursive: true });
    await writeFile(path.join(kit, file), '');
    return path.dirname(path.join(kit, file));
  };
  await mkdir(path.join(kit, 'node/bin'), { recursive: true });
  await writeFile(path.join(kit, 'node/bin/node'), '#!/bin/sh\necho "$LD_LIBRARY_PATH"\n', { mode: 0o755 });
  await cp(path.join(path.dirname(JOIN), 'run.sh'), path.join(kit, 'run.sh'));
  const found = () =>
    execFileSync('sh', [path.join(kit, 'run.sh')], { encoding: 'utf8', env: { PATH: process.env.PATH } }).trim();
  const own = await library('cuda/nvidia/cu13/lib/libcurand.so.10');
  const torchs = await library('torch/nvidia/cudnn/lib/libcudnn.so.9');
  await library('torch/nvidia/cuda_runtime/lib/libcudart.so.12');
  expect(found()).toBe(own);
  const runtime = await library('torch/nvidia/cu13/lib/libcudart.so.13');
  const folders = found().split(':');
  expect(folders).toEqual(expect.arrayContaining([torchs, runtime]));
  expect(folders.at(-1)).toBe(own);
});
