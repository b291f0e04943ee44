import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from './real-bundle.ts';

const CHECKPOINT = path.join(ROOT, 'models/training/checkpoint');

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
  const bundle = path.join(scratch, `${name}-int8`);
  if (existsSync(bundle)) return bundle;
  const { status } = spawnSync(
    path.join(ROOT, 'models/python.sh'),
    [...['-m', 'export', CHECKPOINT, bundle], ...(await optionsOf(name, scratch))],
    {
      stdio: ['ignore', 2, 2],
    },
  );
  if (status !== 0) throw new Error(`the export of ${name} in int8 exited with code ${status}`);
  return bundle;
}

async function optionsOf(name: Shipped, scratch: string): Promise<string[]> {
  const own = [
    ...TRANSFORMERS[name],
    ...(name === 'pixart-icons' ? [] : ['--transformer-from', await student(scratch)]),
  ];
  const labels = ['--name', `${name}-int8`, '--license', 'Apache-2.0', '--source', 'models/training'];
  return ['--for', 'cpu', '--size', '256', '--size', '512', '--max-tokens', '120', ...labels, ...own];
}

/** The 4-step transformer in a folder with the layout of other downloads. */
async function student(scratch: string): Promise<string> {
  const folder = path.join(scratch, 'few-steps');
  await mkdir(folder, { recursive: true });
  await cp(path.join(CHECKPOINT, 'few-steps'), path.join(folder, 'transformer'), { recursive: true });
  return folder;
}
