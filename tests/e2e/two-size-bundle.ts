import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BundleDescription } from '../../models/pixart/index.ts';

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

/** A copy of a tiny random model that serves 256 and 512, in few steps. Its pictures are noise, and quick. */
export async function twoSizeBundle(folder: string, name = 'tiny-two-sizes'): Promise<string> {
  const copy = join(folder, 'bundle');
  await cp(TINY, copy, { recursive: true });
  const file = join(copy, 'bundle.json');
  const description: BundleDescription = JSON.parse(await readFile(file, 'utf8'));
  const sizes = { ...description.sizes, '512': { sampleSize: 64, interpolationScale: 1 } };
  const defaults = { ...description.defaults, steps: 2 };
  await writeFile(file, JSON.stringify({ ...description, name, sizes, defaults }));
  return copy;
}
