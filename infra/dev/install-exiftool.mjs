import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { ensureFromPackage } from './npm-archive.mjs';
import { SetUpError } from './steps.mjs';
import { cacheFolder, findTool } from './tools.mjs';

/** The Perl program inside an npm package. */
const PACKAGE = {
  spec: 'exiftool-vendored.pl@13.59.3',
  sha512: 'QmYq2JKCXRK9Uo3E3nHb0gQ6Xce2HK7wPtrHF5r+IYWyiM5WkOhiT3BesLI9lvJvPAbzjqFxQlrjXv+/cuSX/Q==',
};

/**
 * Makes sure that there is an exiftool: the machine's own, or one that is downloaded once (6 MB) and run by the
 * machine's Perl.
 *
 * @returns {Promise<string[]>} the program and the arguments before all others
 * @throws {SetUpError} that says what to install instead
 */
export async function ensureExiftool() {
  const own = findTool('exiftool');
  if (own !== null) return [own];
  const perl = findTool('perl');
  if (perl === null)
    throw new SetUpError('no exiftool: expected it on the PATH, or Perl to run a downloaded one; install one of them');
  const folder = join(cacheFolder(), 'exiftool-13.59');
  await ensureFromPackage(folder, PACKAGE, (unpacked, ready) => renameSync(join(unpacked, 'bin'), join(ready, 'bin')));
  return [perl, join(folder, 'bin', 'exiftool')];
}
