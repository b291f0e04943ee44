// Plain JavaScript: programs are made with it before any TypeScript can be read.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../dev/tools.mjs';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const CODE = /\.(ts|mjs|cjs|json|css)$/;
const MONTH_MS = 30 * 24 * 3_600_000;

/**
 * Where a build lies that npm packs with us (docs/decisions/127).
 *
 * @param {string} kind
 */
export const packedBuild = (kind) => path.join(ROOT, 'built', kind);

/** npm never packs a lock file: where there is one, the sources count, whatever a pack that was interrupted has left. */
const isPackage = !existsSync(path.join(ROOT, 'package-lock.json'));

/**
 * The folder that holds what is made of the sources. An installed package has it with it; otherwise it is kept in the cache under a digest of them and of the packages that we
 * depend on, so that it is made once and can never be older than they are (docs/decisions/060).
 *
 * @param {string} kind what is made
 * @param {string[]} sources files and folders below the project's root: all that it is made of
 * @param {(folder: string) => Promise<void>} make makes it in an empty folder
 * @returns {Promise<string>}
 * @throws Error where the cache cannot be written
 */
export async function keptBuild(kind, sources, make) {
  if (isPackage && existsSync(packedBuild(kind))) return packedBuild(kind);
  const builds = path.join(cacheFolder(), kind);
  const build = path.join(builds, digestOf(sources));
  if (existsSync(build)) {
    // In use. Another user's build can be run and not be marked.
    await utimes(build, new Date(), new Date()).catch(() => {});
    return build;
  }
  const unfinished = await newFolder(build);
  await make(unfinished);
  await rename(unfinished, build).catch(async (error) => {
    await rm(unfinished, { recursive: true });
    // Another process may have made the same meanwhile; anything else is a fault.
    if (!existsSync(build)) throw error;
  });
  await forgetOld(builds);
  return build;
}

/** @param {string} build the folder's name to be; until then it has another one beside it */
async function newFolder(build) {
  const builds = path.dirname(build);
  try {
    await mkdir(builds, { recursive: true });
    return await mkdtemp(`${build}.`);
  } catch (error) {
    throw new Error(
      `${builds}: expected a folder that can be written, to keep what is made of the sources; found ` +
        `${/** @type {Error} */ (error).message}. Set XDG_CACHE_HOME to another cache folder.`,
    );
  }
}

/**
 * Read at once and not in turns, which takes a third of the time: every start of a process waits for it.
 *
 * @param {string[]} sources
 */
function digestOf(sources) {
  // Where the project lies is part of a program: it finds packages and files by their paths.
  const hash = createHash('sha256').update(ROOT);
  for (const file of [...sources.flatMap(filesOf), ...packageFiles()])
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.resolve(ROOT, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 32);
}

/** @param {string} source */
function filesOf(source) {
  // npm leaves its lock file out of packages.
  if (CODE.test(source)) return existsSync(path.join(ROOT, source)) ? [source] : [];
  return codeIn(source).sort();
}

/**
 * Node's own recursion takes ten times as long, at every start of a process.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function codeIn(folder) {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return codeIn(file);
    return CODE.test(file) ? [file] : [];
  });
}

/**
 * The `package.json` of each package that we depend on, which has its version, where Node finds it: npm may move packages of a
 * program that we are installed for, and give us another version than that program.
 */
function packageFiles() {
  const own = path.join(ROOT, 'package.json');
  const { dependencies } = JSON.parse(readFileSync(own, 'utf8'));
  const folders = createRequire(own).resolve.paths('any package') ?? [];
  return Object.keys(dependencies).flatMap((name) => {
    const found = folders.map((folder) => path.join(folder, name, 'package.json')).find((file) => existsSync(file));
    // What is missing, making the build tells.
    return found === undefined ? [] : [realpathSync.native(found)];
  });
}

/**
 * Every change of the sources makes another build.
 *
 * @param {string} builds
 */
async function forgetOld(builds) {
  for (const name of await readdir(builds)) {
    const build = path.join(builds, name);
    const { mtimeMs } = await stat(build).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > MONTH_MS) await rm(build, { recursive: true, force: true });
  }
}
