import { chmodSync, createReadStream, createWriteStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { ensureFromPackage } from './npm-archive.mjs';
import { runStep, SetUpError } from './steps.mjs';
import { cacheFolder, findTool } from './tools.mjs';

/**
 * A headless Chromium in an npm package; not a dependency, because it weighs 70 MB and only tests of the review page
 * need it.
 */
const PACKAGE = {
  spec: '@sparticuz/chromium@153.0.0',
  sha512: 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
};

export const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * Makes sure that there is a Chromium: the machine's own, or one that is downloaded once.
 *
 * @returns {Promise<{ executable: string, env: Record<string, string> }>} the program, and what it needs in its environment
 * @throws {SetUpError} that says what to install instead
 */
export async function ensureChromium() {
  const own = CHROMIUM_NAMES.map(findTool).find((path) => path !== null) ?? (existsSync(MAC) ? MAC : null);
  if (own !== null) return { executable: own, env: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError(
      `no Chromium: expected one of ${CHROMIUM_NAMES.join(', ')} on the PATH, found none; install one of them`,
    );
  }
  const folder = join(cacheFolder(), 'chromium-153');
  await ensureFromPackage(folder, PACKAGE, (unpacked, ready) => decompressAll(unpacked, ready, folder));
  return {
    executable: join(folder, 'chromium'),
    // The libraries and the font that slim images lack are beside it.
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_PATH: folder },
  };
}

/**
 * @param {string} unpacked
 * @param {string} ready
 * @param {string} folder its final place
 */
async function decompressAll(unpacked, ready, folder) {
  const bin = join(unpacked, 'bin');
  await decompress(join(bin, 'chromium.br'), join(ready, 'chromium'));
  chmodSync(join(ready, 'chromium'), 0o755);
  for (const part of ['al2023', 'fonts', 'swiftshader']) {
    const tar = join(unpacked, `${part}.tar`);
    await decompress(join(bin, `${part}.tar.br`), tar);
    await runStep(`unpacking its ${part}`, 'tar', ['-xf', tar, '-C', ready]);
  }
  writeFileSync(join(ready, 'fonts.conf'), fontsOf(folder));
}

/**
 * The package's own file names folders that do not exist on this machine.
 *
 * @param {string} folder
 */
const fontsOf = (folder) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${join(folder, 'fonts')}</dir>
  <cachedir>${join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`;

/**
 * @param {string} from
 * @param {string} to
 */
const decompress = (from, to) => pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
