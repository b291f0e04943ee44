// Prepares benchmarks/gpu.ts on a machine without a GPU, for a GPU machine that may have no network:
// npx tsx benchmarks/gpu-kit.ts bundles gpu-kit/bundles
// npx tsx benchmarks/gpu-kit.ts pack FOLDER
// See --help.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../domain/user-error.ts';
import { say, withScratch } from './bench/part.ts';
import { makeBundles } from './gpu/bundles.ts';
import { CONTENTS, REQUIRED } from './gpu/kit-contents.ts';
import { bytesOf, writeParts } from './gpu/kit-parts.ts';
import { lostBundles } from './gpu/needs.ts';
import { parseOptions, runProgram } from './gpu/options.ts';

const OPTIONAL = CONTENTS.filter(({ name }) => name !== REQUIRED);

const HELP = `usage: npx tsx benchmarks/gpu-kit.ts bundles FOLDER [--scratch FOLDER] [--toy]
       npx tsx benchmarks/gpu-kit.ts pack FOLDER [--bundles gpu-kit/bundles] [--part 60MB] [--python 3.12] [--without NAME …]

bundles    export the bundles to measure: XL/2 and T5-XXL with random weights, which are then stripped, and the
           shipped ones; takes half an hour on two cores, 4 GiB of memory and 22 GB in the scratch folder
pack       pack everything that the GPU machine needs into parts with digests, and a script that joins them: copy the
           folder there, then  sh FOLDER/join.sh kit && sh kit/run.sh --minutes 8

--scratch  folder for checkpoints and whole bundles, which is kept; default: a temporary one
--toy      tiny networks, for a trial of gpu.ts --toy without a GPU; takes minutes
--bundles  folder made by "bundles"; default: gpu-kit/bundles
--part     largest size of a part, in kB, MB or GB; default: 60MB
--python   the GPU machine's version of Python; default: 3.12
--without  leave out what that machine already has; repeatable:
${OPTIONAL.map(({ name, what }) => `           ${name.padEnd(10)} ${what}`).join('\n')}
`;

await runProgram(async () => {
  const { values, positionals } = parseOptions({
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
  if (values.help) process.stdout.write(HELP);
  else if (verb === 'bundles' && folder !== undefined)
    await withScratch(values.scratch, (scratch) => makeBundles(path.resolve(folder), scratch, values.toy));
  else if (verb === 'pack' && folder !== undefined) await pack(path.resolve(folder), values);
  else throw new UserError(HELP);
  return 0;
});

type PackOptions = { bundles: string; python: string; part: string; without: string[] };

async function pack(target: string, { bundles, python, part, without }: PackOptions): Promise<void> {
  const bytes = bytesOf(part);
  const names = OPTIONAL.map(({ name }) => name);
  const strange = without.filter((name) => !names.includes(name));
  if (strange.length > 0)
    throw new UserError(`--without: expected names among ${names.join(', ')}, found ${strange.join(', ')}`);
  const lost = without.includes('bundles') ? [] : lostBundles(bundles);
  if (lost.length > 0)
    throw new UserError(
      `no bundles ${lost.join(', ')} in ${bundles}; make them with: npx tsx benchmarks/gpu-kit.ts bundles ${bundles}`,
    );
  await mkdir(target, { recursive: true });
  if ((await readdir(target)).length > 0) throw new UserError(`${target}: expected an empty folder. Choose another.`);
  const staged = await mkdtemp(`${target}.`);
  try {
    for (const { name, what, add } of CONTENTS.filter((content) => !without.includes(content.name))) {
      const before = await sizeOf(staged);
      await add(staged, { bundles, python });
      say(`${name.padEnd(10)} ${megabytes((await sizeOf(staged)) - before)}  ${what}`);
    }
    const scripts = path.join(import.meta.dirname, 'gpu');
    await cp(path.join(scripts, 'run.sh'), path.join(staged, 'run.sh'));
    const parts = await archive(staged, target, bytes);
    await cp(path.join(scripts, 'join.sh'), path.join(target, 'join.sh'));
    say(`packed     ${megabytes(await sizeOf(target))}  parts of ${part} at most: ${parts.length}, in ${target}`);
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
