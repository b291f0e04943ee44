import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../build/kept-build.mjs';

/**
 * esbuild and webpack leave the path of each module above its code, in a comment; strings in our own code name such
 * paths too.
 */
const MODULE = /^\s*(?:\/\/|\/\*\*\*\/|!\*\*\*).*node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//gm;

/**
 * The licences of the packages whose code is bundled with ours, which have to be distributed with it.
 *
 * @param built the folder of the code
 * @throws Error for a package without one
 */
export async function licencesWithin(built: string): Promise<string> {
  const files = (await readdir(built, { recursive: true })).filter((file) => /\.m?js$/.test(file));
  const names = new Set<string>();
  for (const file of files) {
    for (const [, name] of (await readFile(path.join(built, file), 'utf8')).matchAll(MODULE)) names.add(name!);
  }
  const texts = [...names].sort().map(async (name) => `${name}\n\n${await licenceOf(name)}`);
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n`);
}

async function licenceOf(name: string): Promise<string> {
  const folder = path.join(ROOT, 'node_modules', name);
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined)
    throw new Error(`${folder}: expected a licence file, since the package's code is bundled with ours`);
  return readFile(path.join(folder, file), 'utf8');
}
