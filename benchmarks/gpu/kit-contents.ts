import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makePrograms } from '../../infra/build/program.mjs';
import { COMMIT_FILE, commit } from '../bench/machine.ts';
import { ROOT } from '../bench/real-bundle.ts';
import { neededPackages } from './kit-packages.ts';
import { installWheels, neededBy } from './kit-wheels.ts';

export type KitOptions = {
  /** The folder that `makeBundles` has filled. */
  bundles: string;
  /** The version of Python on the machine with the GPU. */
  python: string;
};

/** One piece of a kit, which can be left out if the machine already has it. */
export type Content = { name: string; what: string; add: (kit: string, options: KitOptions) => Promise<void> };

const CUDA_LOCK = path.join(ROOT, 'infra/docker/cuda.lock');
/** The Python of that lock's wheels, of which only libraries are taken. */
const CUDA_LOCKS_PYTHON = '3.13';
const PYTHON_LOCK = path.join(ROOT, 'models/requirements.lock');
const PROVIDER = 'onnxruntime-gpu';

/** Of the repository: what the benchmark, its peer and the renderer's processes are built from. */
const SOURCES = [
  'benchmarks',
  'domain',
  'models/pixart',
  'models/renderer',
  'models/export/checkpoint_sizes.json',
  'infra/build',
  'infra/dev',
  'infra/reference/markdown.ts',
  'package.json',
];

const RUNTIME = 'node_modules/onnxruntime-node/bin/napi-v6';
const X64 = path.join(RUNTIME, 'linux/x64');

async function addNode(kit: string): Promise<void> {
  const target = path.join(kit, 'node/bin/node');
  await mkdir(path.dirname(target), { recursive: true });
  await cp(process.execPath, target);
  await chmod(target, 0o755);
}

/** The repository's files in a kit, relative to the repository. */
export const programFiles = (): string[] =>
  execFileSync('git', ['ls-files', ...SOURCES], { cwd: ROOT, encoding: 'utf8' })
    .trim()
    .split('\n');

async function addProgram(kit: string): Promise<void> {
  const program = path.resolve(kit, 'program');
  for (const file of programFiles()) await cp(path.join(ROOT, file), path.join(program, file));
  await writeFile(path.join(program, COMMIT_FILE), commit());
  const built = path.join(program, 'built/programs');
  await makePrograms(built, program);
  for (const folder of await neededPackages()) {
    const isOtherPlatform = (file: string): boolean => {
      const inside = path.relative(ROOT, file);
      return inside.startsWith(`${RUNTIME}/`) && !`${X64}/`.startsWith(`${inside}/`) && !inside.startsWith(X64);
    };
    await cp(path.join(ROOT, folder), path.join(program, folder), {
      recursive: true,
      filter: (file) => !isOtherPlatform(file) && !path.basename(file).endsWith('.map'),
    });
  }
}

async function addBundles(kit: string, { bundles }: KitOptions): Promise<void> {
  // Weights generated in a trial are left out: the GPU machine generates them again.
  await cp(bundles, path.join(kit, 'bundles'), {
    recursive: true,
    filter: (file) => !(file.endsWith('.data') && path.basename(path.dirname(file)).startsWith('xl')),
  });
}

async function addProvider(kit: string): Promise<void> {
  const wheels = path.join(kit, 'wheels');
  await installWheels(CUDA_LOCK, (name) => name === PROVIDER, { target: wheels, python: CUDA_LOCKS_PYTHON });
  const target = path.join(kit, 'provider');
  await mkdir(target, { recursive: true });
  for (const library of ['cuda', 'shared'].map((name) => `libonnxruntime_providers_${name}.so`))
    await rename(path.join(wheels, 'onnxruntime/capi', library), path.join(target, library));
  await rm(wheels, { recursive: true });
}

const addCuda = (kit: string): Promise<void> => {
  const target = path.join(kit, 'cuda');
  return installWheels(CUDA_LOCK, (name) => name !== PROVIDER, { target, python: CUDA_LOCKS_PYTHON });
};

async function addDiffusers(kit: string, { python }: KitOptions): Promise<void> {
  const isOwn = await ownOfDiffusers();
  await installWheels(PYTHON_LOCK, isOwn, { target: path.join(kit, 'diffusers'), python });
}

async function addTorch(kit: string, { python }: KitOptions): Promise<void> {
  const isOwn = await ownOfDiffusers();
  await installWheels(PYTHON_LOCK, (name) => !isOwn(name), { target: path.join(kit, 'torch'), python });
}

/** Selects the packages that diffusers needs and that machines with torch and transformers may lack. */
async function ownOfDiffusers(): Promise<(name: string) => boolean> {
  const lock = await readFile(PYTHON_LOCK, 'utf8');
  const [own, ...others] = ['diffusers', 'torch', 'transformers'].map((name) => neededBy(lock, name));
  return (name) => own!.has(name) && !others.some((set) => set.has(name));
}

/** run.sh cannot do without it. */
export const REQUIRED = 'program';

export const CONTENTS: readonly Content[] = [
  { name: 'node', what: 'the Node that packs it', add: addNode },
  { name: REQUIRED, what: 'this program and the npm packages that it needs, with ONNX Runtime', add: addProgram },
  { name: 'bundles', what: 'graphs of XL/2 and T5-XXL without weights, and the shipped bundles', add: addBundles },
  { name: 'provider', what: `ONNX Runtime's CUDA provider, of the wheel ${PROVIDER}`, add: addProvider },
  { name: 'cuda', what: 'CUDA 13 and cuDNN 9, if torch does not bring all of it: 2.15 lacks cuRAND', add: addCuda },
  { name: 'diffusers', what: 'diffusers, and the small packages that it needs', add: addDiffusers },
  { name: 'torch', what: 'torch with its CUDA, transformers, and what they need; no cuRAND', add: addTorch },
];
