import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { oneAtATime } from '../../infra/dev/steps.mjs';
import { cacheFolder } from '../../infra/dev/tools.mjs';

/**
 * What `npm pack` makes of this checkout, in a folder that has nothing else.
 *
 * @returns the archive
 */
export async function packInto(folder: string): Promise<string> {
  const pack = () => promisify(execFile)('npm', ['pack', '--pack-destination', folder], { cwd: ROOT });
  // A pack builds beside the sources and clears up after itself.
  await oneAtATime(path.join(cacheFolder(), 'npm-pack'), pack);
  const [packed] = await readdir(folder);
  return path.join(folder, packed!);
}
