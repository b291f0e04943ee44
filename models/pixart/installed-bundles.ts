import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nearName } from '../../domain/near-name.ts';
import { UserError } from '../../domain/user-error.ts';
import { type Bundle, openBundle } from './bundle.ts';

/** The folder of the bundles that come with the program. */
export const SHIPPED_BUNDLES = fileURLToPath(new URL('../bundles', import.meta.url));

/** The folders whose subfolders are bundles: those in PIXART_BATCH_BUNDLES first, then what the repository ships. */
function bundleHomes(): string[] {
  const homes = (process.env.PIXART_BATCH_BUNDLES ?? '').split(path.delimiter).filter(Boolean);
  const missing = homes.filter((home) => !statSync(home, { throwIfNoEntry: false })?.isDirectory());
  if (missing.length === 0) return [...homes, SHIPPED_BUNDLES];
  throw new UserError(`PIXART_BATCH_BUNDLES: expected folders of bundles, found none at ${missing.join(', ')}`);
}

/**
 * The folders of all installed bundles, by name; the first home that has a name wins.
 *
 * @throws UserError for a home that does not exist
 */
export async function listBundles(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const home of bundleHomes()) {
    for (const entry of existsSync(home) ? (await readdir(home)).sort() : []) {
      const folder = path.join(home, entry);
      if (!found.has(entry) && existsSync(path.join(folder, 'bundle.json'))) found.set(entry, folder);
    }
  }
  return found;
}

/**
 * All installed bundles but those that are refused, which do not hide the others.
 *
 * @param onRefused hears why
 * @throws UserError for a home that does not exist
 */
export async function openBundles(onRefused: (reason: UserError) => void = () => {}): Promise<Bundle[]> {
  const opened = await Promise.all(
    [...(await listBundles()).values()].map((folder) =>
      openBundle(folder).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        onRefused(error);
        return null;
      }),
    ),
  );
  return opened.filter((bundle) => bundle !== null);
}

/**
 * Finds a bundle by the name of its folder in one of the homes, or by a path.
 *
 * @throws UserError where there is no such bundle; it lists those that are installed.
 */
export async function bundleFolder(nameOrPath: string): Promise<string> {
  const installed = await listBundles();
  const folder = installed.get(nameOrPath);
  if (folder) return folder;
  if (existsSync(path.join(nameOrPath, 'bundle.json'))) return path.resolve(nameOrPath);
  const near = nearName(nameOrPath, installed.keys());
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UserError(
    `bundle ${JSON.stringify(nameOrPath)}: expected the path of a folder with a bundle.json, or one of the installed ` +
      `bundles (${[...installed.keys()].join(', ') || 'there are none'}). PIXART_BATCH_BUNDLES names further folders to look in.${meant}`,
  );
}
