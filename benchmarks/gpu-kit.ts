// Prepares benchmarks/gpu.ts on a machine without a GPU, for a GPU machine that may have no network:
// npx tsx benchmarks/gpu-kit.ts bundles gpu-kit/bundles [--scratch FOLDER]
// npx tsx benchmarks/gpu-kit.ts pack FOLDER [--bundles gpu-kit/bundles] [--part 60MB] [--without torch …] [--python 3.12]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../domain/user-error.ts';
import { say, withScratch } from './bench/part.ts';
import { makeBundles } from './gpu/bundles.ts';
import { CONTENTS } from './gpu/kit-contents.ts';
import { bytesOf, writeParts } from './gpu/kit-parts.ts';

const HELP = `usage: npx tsx benchmarks/gpu-kit.ts bundles FOLDER [--scratch FOLDER]
       npx tsx benchmarks/gpu-kit.ts pack FOLDER [--bundles gpu-kit/bundles] [--part 60MB] [--without NAME …]

bundles    export the bundles to measure: XL/2 and T5-XXL with random weights, which are then stripped, and the
           shipped ones; takes half an hour on two cores, 4 GiB of memory and 22 GB in the scratch folder
pack       pack everything that the GPU machine needs into parts with digests, and a script that joins them: copy the
           folder there, then run  sh FOLDER/join.sh kit && sh kit/run.sh --minutes 8
--without  leave out what that machine already has:
${CONTENTS.map(({ name, what }) => `           ${name.padEnd(10)} ${what}`).join('\n')}
--part     largest size of a part; default: 60MB
--python   that machine's version of Python; default: 3.12
--toy      tiny networks, for tests
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scratch: { type: 'string' },
    bundles: { type: 'string', default: 'gpu-kit/bundles' },
    part: { type: 'string', default: '60MB' },
    without: { type: 'string', multiple: true, default: [] },
    python: { type: 'string', default: '3.12' },
    toy: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const [verb, folder] = positionals;

try {
  if (values.help) process.stdout.write(HELP);
  else if (verb === 'bundles' && folder !== undefined)
    await withScratch(values.scratch, (scratch) => makeBundles(path.resolve(folder), scratch, values.toy));
  else if (verb === 'pack' && folder !== undefined) await pack(path.resolve(folder));
  else throw new UserError(HELP);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function pack(target: string): Promise<void> {
  const bytes = bytesOf(values.part);
  const names = CONTENTS.map(({ name }) => name);
  const strange = values.without.filter((name) => !names.includes(name));
  if (strange.length > 0)
    throw new UserError(`--without: expected names among ${names.join(', ')}, found ${strange.join(', ')}`);
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length > 0) throw new UserError(`${target}: expected an empty folder. Choose another.`);
  const staged = await mkdtemp(`${target}.`);
  try {
    for (const { name, what, add } of CONTENTS.filter((content) => !values.without.includes(content.name))) {
      const before = await sizeOf(staged);
      await add(staged, { bundles: values.bundles, python: values.python });
      say(`${name.padEnd(10)} ${megabytes((await sizeOf(staged)) - before)}  ${what}`);
    }
    const scripts = path.join(import.meta.dirname, 'gpu');
    await cp(path.join(scripts, 'run.sh'), path.join(staged, 'run.sh'));
    const parts = await archive(staged, target, bytes);
    await cp(path.join(scripts, 'join.sh'), path.join(target, 'join.sh'));
    say(
      `packed     ${megabytes(await sizeOf(target))}  parts of ${values.part} at most: ${parts.length}, in ${target}`,
    );
  } finally {
    await rm(staged, { recursive: true });
  }
}

async function archive(staged: string, target: string, bytes: number): Promise<string[]> {
  const tar = spawn('tar', ['-czf', '-', '-C', staged, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(tar, 'exit') as Promise<[number | null]>;
  const parts = await writeParts(tar.stdout, target, bytes);
  const [code] = await ended;
  if (code !== 0) throw new Error(`tar exited with code ${code}`);
  return parts;
}

async function sizeOf(folder: string): Promise<number> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0).padStart(6)} MB`;
}
