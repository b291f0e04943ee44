// Plain Node: the bootstrap imports this file before anything is installed.
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where tools and other downloads are kept between runs. */
export const cacheFolder = () => join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'pixart-batch');

/** The folder that holds the tools which the bootstrap installed. */
export const toolFolder = () => join(cacheFolder(), 'bin');

/** @param {string} name */
export const executableName = (name) => (process.platform === 'win32' ? `${name}.exe` : name);

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The full path of a program: on the PATH first, then among the tools that the bootstrap installed.
 *
 * @param {string} name without an extension
 * @returns {string | null}
 */
export function findTool(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), toolFolder()];
  const candidates = folders.filter((folder) => folder !== '').map((folder) => join(folder, executableName(name)));
  return candidates.find(isExecutable) ?? null;
}
