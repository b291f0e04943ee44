import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bundle, openBundle } from '../../../models/pixart/bundle.ts';
import { verifyBundle } from '../../../models/pixart/verify-bundle.ts';
import { GOLDEN } from './golden-case.ts';

/**
 * The bundle of the golden cases with one of their graphs for CUDA, whose operators all have kernels for processors, in a
 * new folder.
 *
 * @param cuda the description's entry about it
 */
export async function goldenWithCuda(file: string, cuda: object): Promise<Bundle> {
  const home = await mkdtemp(path.join(tmpdir(), 'cuda-'));
  await cp(path.join(GOLDEN, 'bundles/tiny-epsilon'), home, { recursive: true });
  const graph = await readFile(path.join(GOLDEN, 'stages', file));
  await writeFile(path.join(home, file), graph);
  const description = JSON.parse(await readFile(path.join(home, 'bundle.json'), 'utf8'));
  description.files[file] = { sha256: createHash('sha256').update(graph).digest('hex'), bytes: graph.length };
  await writeFile(path.join(home, 'bundle.json'), JSON.stringify({ ...description, cuda }));
  const bundle = await openBundle(home);
  await verifyBundle(bundle);
  return bundle;
}
