import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { say } from '../bench/part.ts';
import { ROOT } from '../bench/real-bundle.ts';
import { SHIPPED, shippedExport } from '../bench/shipped-export.ts';
import type { BundleName } from './items.ts';

const PYTHON = path.join(ROOT, 'models/python.sh');
const SCRIPTS = path.join(ROOT, 'benchmarks/gpu');

type Random = { name: BundleName; script: string[]; sizes: string[] };

const randomBundles = (isToy: boolean): Random[] => [
  { name: 'xl', script: ['-m', 'export.random_checkpoint'], sizes: isToy ? ['256'] : ['256', '512', '1024'] },
  {
    name: 'xl-2k',
    script: [path.join(SCRIPTS, 'compressed_checkpoint.py')],
    sizes: isToy ? ['256'] : ['2k', '4k'],
  },
];

/**
 * Exports what a run measures, on a machine without a GPU, into a folder of a few dozen megabytes: XL/2 without its
 * weights, and the shipped bundles whole. Bundles that are there stay.
 *
 * @param scratch takes 22 GB meanwhile
 * @throws Error where an export fails
 */
export async function makeBundles(folder: string, scratch: string, isToy: boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, script, sizes } of randomBundles(isToy)) {
    const target = path.join(folder, name);
    if (existsSync(target)) continue;
    say(`${name}: random weights, export and verification`);
    const [checkpoint, whole] = [path.join(scratch, `${name}-checkpoint`), path.join(scratch, `${name}-whole`)];
    if (!existsSync(whole)) {
      if (!existsSync(checkpoint)) python(...script, checkpoint, '--size', isToy ? 'tiny' : 'xl');
      const labels = ['--name', name, '--license', 'none', '--source', 'random weights'];
      python(
        '-m',
        'export',
        checkpoint,
        whole,
        '--for',
        'gpu',
        ...sizes.flatMap((size) => ['--size', size]),
        ...labels,
      );
    }
    python(path.join(SCRIPTS, 'strip.py'), whole, target);
    for (const large of [checkpoint, whole]) await rm(large, { recursive: true, force: true });
  }
  for (const name of SHIPPED) {
    const target = path.join(folder, name);
    if (existsSync(target)) continue;
    say(`${name}: export and verification`);
    await shippedExport(name, { profile: 'gpu', sizes: ['256', '512', '1024'], target, scratch });
  }
}

function python(...args: string[]): void {
  const { status } = spawnSync(PYTHON, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`models/python.sh ${args.join(' ')} exited with code ${status}`);
}
