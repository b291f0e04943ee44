// Plain JavaScript: it builds the programs, before anything can read TypeScript.
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
 * Where a build is that npm packs with the product (docs/decisions/127).
 *
 * @param {string} kind
 */
export const packedBuild = (kind) => path.join(ROOT, 'built', kind);

/**
 * npm never packs a lock file: if there is one, build from the sources, even if an interrupted pack left a build
 * behind.
 */
const isPackage = !existsSync(path.join(ROOT, 'package-lock.json'));

/**
 * The folder with a build of the sources. An installed package ships it. A checkout caches it under a digest of the
 * sources and of the packages that we depend on, so it is built once and can never be out of date (docs/decisions/060).
 *
 * @param {string} kind what to build
 * @param {string[]} sources files and folders below the project's root: everything that goes into the build
 * @param {(folder: string) => Promise<void>} make builds it in an empty folder
 * @returns {Promise<string>}
 * @throws Error if the cache cannot be written
 */
export async function keptBuild(kind, sources, make) {
  if (isPackage && existsSync(packedBuild(kind))) return packedBuild(kind);
  const builds = path.join(cacheFolder(), kind);
  const build = path.join(builds, digestOf(sources));
  if (existsSync(build)) {
    // Marks it as used. A build that belongs to another user runs too, but cannot be marked.
    await utimes(build, new Date(), new Date()).catch(() => {});
    return build;
  }
  const unfinished = await newFolder(build);
  await make(unfinished);
  await rename(unfinished, build).catch(async (error) => {
    await rm(unfinished, { recursive: true });
    // Another process may have built the same in the meantime; any other failure is real.
    if (!existsSync(build)) throw error;
  });
  await forgetOld(builds);
  return build;
}

/** @param {string} build the folder's final name; while it is being built it has a temporary one beside it */
async function newFolder(build) {
  const builds = path.dirname(build);
  try {
    await mkdir(builds, { recursive: true });
    return await mkdtemp(`${build}.`);
  } catch (error) {
    throw new Error(
      `${builds}: expected a folder to write builds to; found ` +
        `${/** @type {Error} */ (error).message}. Set XDG_CACHE_HOME to another cache folder.`,
    );
  }
}

/**
 * Reads all files at once instead of one after the other, which takes a third of the time: every process waits for it
 * when it starts.
 *
 * @param {string[]} sources
 */
function digestOf(sources) {
  // The project's path is part of a program, which finds packages and files by it.
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
 * Node's own recursion takes ten times as long, on every start of a process.
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
 * The `package.json` of each package that we depend on, where Node finds it; it holds the version. When npm installs us
 * for another program, it may move that program's packages and give us other versions.
 */
function packageFiles() {
  const own = path.join(ROOT, 'package.json');
  const { dependencies } = JSON.parse(readFileSync(own, 'utf8'));
  const folders = createRequire(own).resolve.paths('any package') ?? [];
  return Object.keys(dependencies).flatMap((name) => {
    const found = folders.map((folder) => path.join(folder, name, 'package.json')).find((file) => existsSync(file));
    // If a package is missing, the build reports it.
    return found === undefined ? [] : [realpathSync.native(found)];
  });
}

/**
 * Every change to the sources adds a build.
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
