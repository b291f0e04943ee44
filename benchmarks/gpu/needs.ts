import { spawnSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UserError } from '../../domain/user-error.ts';
import { type BundleDescription, type Device, openBundle } from '../../models/pixart/index.ts';
import { type Gpu, gpuOf } from './device.ts';
import { BUNDLES, type BundleName } from './items.ts';

export type NeedsOptions = { device: Device; bundles: string; python: string; isToy: boolean; hasPeers: boolean };

/** What was found, for people to read beside the figures, and what is missing, each with what to do. */
export type Found = { gpu: Gpu | null; facts: string[]; missing: string[] };

/** ONNX Runtime 1.30 is built with CUDA 13. */
const LEAST_DRIVER = 580;

/** What its CUDA provider has code for, without any that a driver could compile for other GPUs: counted in the library. */
const CAPABILITIES = /^(7\.5|8\.\d|9\.\d|12\.\d)$/;

/** Weights of XL/2 twice, of two decoders, and of T5-XXL, which are made beside the graphs. */
const WEIGHTS_GB = 12.5;

const CUDNN = 'libcudnn.so.9';

const PACKAGES = ['torch', 'diffusers', 'transformers'];

/** Those that Triton looks for. */
const COMPILERS = ['gcc', 'clang'];

/** Looks for everything that a run needs, so that a machine that is paid by the minute is not started half equipped. */
export async function find(options: NeedsOptions): Promise<Found> {
  const { device, python, isToy, hasPeers } = options;
  const found: Found = { gpu: null, facts: [], missing: [] };
  if (device !== 'cpu') {
    findDriver(device, found);
    findProvider(found);
  }
  if (hasPeers) findPackages(python, device, found);
  await findBundles(options.bundles, isToy, found);
  return found;
}

function findDriver(device: Device, found: Found): void {
  const gpu = gpuOf(device);
  if (typeof gpu === 'string') {
    found.missing.push(`NVIDIA's driver: ${gpu}. Use a machine with a GPU, or --device cpu --toy for a trial.`);
    return;
  }
  found.gpu = gpu;
  found.facts.push(`GPU: ${gpu.name}, ${Math.round(gpu.memoryBytes / 2 ** 20)} MiB, driver ${gpu.driver}`);
  if (Number.parseInt(gpu.driver, 10) < LEAST_DRIVER)
    found.missing.push(`NVIDIA's driver: expected ${LEAST_DRIVER} or later, for CUDA 13, found ${gpu.driver}.`);
  if (!CAPABILITIES.test(gpu.capability))
    found.missing.push(
      `a GPU that ONNX Runtime has code for: expected compute capability 7.5, 8, 9 or 12, found ${gpu.capability} (${gpu.name}).`,
    );
}

/** The CUDA provider of onnxruntime-node, and the libraries that it and cuDNN load. */
function findProvider({ missing }: Found): void {
  const runtime = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const folder = path.join(runtime, 'bin/napi-v6', process.platform, process.arch);
  const provider = path.join(folder, 'libonnxruntime_providers_cuda.so');
  if (!existsSync(provider)) {
    missing.push(
      `ONNX Runtime's CUDA provider: expected ${provider}. Install it (docs/guide.md, "GPUs"), or join a kit.`,
    );
    return;
  }
  const lost = lostLibraries(provider);
  if (lost.length > 0) {
    const advice =
      'Add their folders to LD_LIBRARY_PATH; pip installs them in nvidia/*/lib, and a kit has them in "cuda".';
    missing.push(`libraries of the CUDA provider: ${lost.join(', ')} not found. ${advice}`);
  }
}

function lostLibraries(provider: string): string[] {
  const { stdout = '' } = spawnSync('ldd', [provider], { encoding: 'utf8' });
  const lost = [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map(([, name]) => name!);
  // The provider opens it by its name, when the first node needs it.
  const places = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const hasCudnn = places.some((place) => existsSync(path.join(place, CUDNN))) || isKnown(CUDNN);
  return hasCudnn ? lost : [...lost, CUDNN];
}

const isKnown = (library: string): boolean =>
  (spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout ?? '').includes(library);

function findPackages(python: string, device: Device, { facts, missing }: Found): void {
  const script = [
    'import importlib, json',
    'found = {}',
    `for name in ${JSON.stringify(PACKAGES)}:`,
    '    try: found[name] = importlib.import_module(name).__version__',
    '    except Exception as error: found[name] = [str(error)]',
    'torch = importlib.import_module("torch") if isinstance(found["torch"], str) else None',
    'found["has GPU"] = bool(torch and torch.cuda.is_available())',
    'print(json.dumps(found))',
  ].join('\n');
  const { error, status, stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' });
  if (error || status !== 0) {
    missing.push(`Python: ${error?.message ?? stderr.trim()}. Name one with --python, or use --without-peers.`);
    return;
  }
  const { 'has GPU': hasGpu, ...versions } = JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
  for (const [name, version] of Object.entries(versions)) {
    if (Array.isArray(version))
      missing.push(`Python package ${name}: ${version[0]}. Install it, or use --without-peers.`);
  }
  if (typeof versions.torch === 'string' && device !== 'cpu' && hasGpu !== true)
    missing.push(`torch ${versions.torch} sees no GPU. Install one that is built for this driver's CUDA.`);
  if (device !== 'cpu' && COMPILERS.every((compiler) => spawnSync(compiler, ['--version']).error))
    missing.push(`a C compiler: torch.compile needs ${COMPILERS.join(' or ')}. Install gcc, or use --without-peers.`);
  facts.push(`peers: ${PACKAGES.map((name) => `${name} ${[versions[name]].flat()[0]}`).join(', ')}`);
}

/** Of PixArt-Σ XL/2. */
const XL = { heads: 16, headWidth: 72 };

export const lostBundles = (folder: string): BundleName[] =>
  BUNDLES.filter((name) => !existsSync(path.join(folder, name, 'bundle.json')));

async function findBundles(folder: string, isToy: boolean, { missing }: Found): Promise<void> {
  const advice = `Make them with: npx tsx benchmarks/gpu-kit.ts bundles FOLDER${isToy ? ' --toy' : ''}; name their folder with --bundles.`;
  const lost = lostBundles(folder);
  if (lost.length > 0) {
    missing.push(`bundles: ${lost.join(', ')} not found in ${folder}. ${advice}`);
    return;
  }
  for (const name of ['xl', 'xl-2k'] as const) {
    const problem = await scaleProblem(path.join(folder, name), isToy);
    if (problem !== null) missing.push(`bundle ${name}: ${problem} ${advice}`);
  }
  const { bavail, bsize } = statfsSync(folder);
  const room = (bavail * bsize) / 1e9;
  const isMade = existsSync(path.join(folder, 'xl', 'text_encoder.onnx.data'));
  if (isToy || isMade || room >= WEIGHTS_GB) return;
  missing.push(`room in ${folder}: expected ${WEIGHTS_GB} GB for weights, found ${room.toFixed(1)}.`);
}

/** What is wrong with a bundle's networks, as a sentence: a trial has tiny ones, and a measurement those of XL/2. */
async function scaleProblem(folder: string, isToy: boolean): Promise<string | null> {
  let transformer: BundleDescription['transformer'];
  try {
    transformer = (await openBundle(folder)).description.transformer;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  const named = ({ heads, headWidth }: typeof XL): string => `${heads} heads of ${headWidth}`;
  const isXl = named(transformer) === named(XL);
  if (isXl !== isToy) return null;
  const expected = isToy ? 'tiny networks' : `PixArt-Σ XL/2, ${named(XL)}`;
  return `expected ${expected}, found ${named(transformer)} in ${folder}.`;
}
