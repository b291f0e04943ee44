import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { oneAtATime, runStep, SetUpError, say } from './steps.mjs';
import { cacheFolder, findTool } from './tools.mjs';

/** A headless Chromium inside an npm package; not among our dependencies, because it weighs 70 MB and only one test needs it. */
const PACKAGE = '@sparticuz/chromium@153.0.0';
const SHA512 = 'jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/**
 * Makes sure that there is a Chromium: the machine's own, otherwise one that is downloaded once.
 *
 * @returns {Promise<{ executable: string, env: Record<string, string> }>} the program, and what it needs in its environment
 * @throws {SetUpError} that says what to install instead
 */
export async function ensureChromium() {
  const own = NAMES.map(findTool).find((path) => path !== null) ?? (existsSync(MAC) ? MAC : null);
  if (own !== null) return { executable: own, env: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError(
      `no Chromium: expected one of ${NAMES.join(', ')} on the PATH, found none; install one of them`,
    );
  }
  const folder = join(cacheFolder(), 'chromium-153');
  await oneAtATime(`${folder}.lock`, async () => {
    if (!existsSync(folder)) await install(folder);
  });
  return {
    executable: join(folder, 'chromium'),
    // Libraries and a font that slim machines lack lie beside it.
    env: { LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_PATH: folder },
  };
}

/**
 * Unpacks it in a folder of its own and moves that when it is whole.
 *
 * @param {string} folder
 */
async function install(folder) {
  say('Chromium (for the test of the contact-sheet page) is not installed');
  mkdirSync(cacheFolder(), { recursive: true });
  const temporary = mkdtempSync(join(cacheFolder(), '.chromium-'));
  try {
    await runStep(`downloading ${PACKAGE}`, 'npm', ['pack', PACKAGE, '--pack-destination', temporary]);
    const archive = join(temporary, 'sparticuz-chromium-153.0.0.tgz');
    const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
    if (found !== SHA512) throw new SetUpError(`${PACKAGE}: expected the SHA-512 ${SHA512}, found ${found}`);
    await runStep('unpacking Chromium', 'tar', ['-xzf', archive, '-C', temporary]);
    const ready = join(temporary, 'ready');
    mkdirSync(ready);
    await decompress(join(temporary, 'package', 'bin', 'chromium.br'), join(ready, 'chromium'));
    chmodSync(join(ready, 'chromium'), 0o755);
    for (const part of ['al2023', 'fonts', 'swiftshader']) {
      const tar = join(temporary, `${part}.tar`);
      await decompress(join(temporary, 'package', 'bin', `${part}.tar.br`), tar);
      await runStep(`unpacking its ${part}`, 'tar', ['-xf', tar, '-C', ready]);
    }
    writeFileSync(join(ready, 'fonts.conf'), fontsOf(folder));
    renameSync(ready, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * The package's own file names folders that this machine does not have.
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
