// Plain Node: the bootstrap imports this file before anything is installed.
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where tools and other downloads are stored between runs. */
export const cacheFolder = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pixart-batch');

/**
 * Holds a folder for each version of a tool that the bootstrap installed; programs directly in it were installed by
 * earlier releases.
 */
export const toolFolder = () => join(cacheFolder(), 'bin');

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The versions of a tool that the bootstrap installed, newest first.
 *
 * @param {string} name
 */
function keptVersions(name) {
  const entries = existsSync(toolFolder()) ? readdirSync(toolFolder()) : [];
  const versions = entries.filter((entry) => entry.startsWith(`${name}-`));
  return versions.sort(new Intl.Collator('en', { numeric: true }).compare).reverse();
}

/**
 * The full paths of a program: first those on the PATH, then those that the bootstrap installed, newest first.
 *
 * @param {string} name
 * @returns {string[]}
 */
export function findTools(name) {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const kept = [...keptVersions(name), ''].map((version) => join(toolFolder(), version));
  return [...new Set([...onPath, ...kept].map((folder) => join(folder, name)))].filter(isExecutable);
}

/**
 * The first of them.
 *
 * @param {string} name
 * @returns {string | null}
 */
export const findTool = (name) => findTools(name)[0] ?? null;
