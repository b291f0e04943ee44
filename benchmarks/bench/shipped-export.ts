import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from './real-bundle.ts';

/** What the shipped bundles are exports of. */
export const CHECKPOINT = path.join(ROOT, 'models/training/checkpoint');

/** The export's transformer options for each shipped bundle. */
const TRANSFORMERS = {
  'pixart-icons': [],
  'pixart-icons-4-steps': ['--steps', '4', '--guidance', '1'],
} as const;

export type Shipped = keyof typeof TRANSFORMERS;

export const SHIPPED = Object.keys(TRANSFORMERS) as Shipped[];

export const shippedBundle = (name: Shipped): string => path.join(ROOT, 'models/bundles', name);

/**
 * The folder of a shipped bundle's weights, exported with `--for cpu`; created if the scratch folder lacks it.
 *
 * @throws Error if the export fails
 */
export async function int8Bundle(name: Shipped, scratch: string): Promise<string> {
  const target = path.join(scratch, `${name}-int8`);
  if (!existsSync(target)) await shippedExport(name, { profile: 'cpu', sizes: ['256', '512'], target, scratch });
  return target;
}

type ExportOptions = { profile: 'cpu' | 'gpu'; sizes: string[]; target: string; scratch: string };

/**
 * Exports a shipped bundle's weights for other devices. The bundle is named as its folder.
 *
 * @throws Error if the export fails
 */
export async function shippedExport(name: Shipped, { profile, sizes, target, scratch }: ExportOptions): Promise<void> {
  const labels = ['--name', path.basename(target), '--license', 'Apache-2.0', '--source', 'models/training'];
  const options = ['--for', profile, ...sizes.flatMap((size) => ['--size', size]), '--max-tokens', '120', ...labels];
  const transformer = name === 'pixart-icons' ? [] : ['--transformer-from', await student(scratch)];
  const { status } = spawnSync(
    path.join(ROOT, 'models/python.sh'),
    ['-m', 'export', CHECKPOINT, target, ...options, ...TRANSFORMERS[name], ...transformer],
    { stdio: ['ignore', 2, 2] },
  );
  if (status !== 0) throw new Error(`the export of ${name} --for ${profile} exited with code ${status}`);
}

/** The 4-step transformer in a folder with the layout of other downloads. */
async function student(scratch: string): Promise<string> {
  const folder = path.join(scratch, 'few-steps');
  await mkdir(folder, { recursive: true });
  await cp(path.join(CHECKPOINT, 'few-steps'), path.join(folder, 'transformer'), { recursive: true });
  return folder;
}
