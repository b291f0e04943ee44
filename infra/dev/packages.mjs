// Plain Node: the bootstrap imports this file before anything is installed.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { dropOtherPlatforms } from './other-platforms.mjs';
import { oneAtATime, runStep } from './steps.mjs';

/**
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean }} LockedPackage
 * @param {string} path
 * @returns {Record<string, LockedPackage> | null} by folder, or `null` if there is no such file
 */
function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return null;
  }
}

/**
 * npm writes `node_modules/.package-lock.json` last, so an interrupted install does not count. Optional packages are
 * those for other platforms.
 *
 * @param {string} root
 */
export function packagesAreCurrent(root) {
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === null || installed === null) return false;
  return Object.entries(wanted).every(
    ([folder, entry]) =>
      folder === '' || entry.optional || entry.devOptional || installed[folder]?.version === entry.version,
  );
}

/**
 * Installs the packages that package-lock.json lists, unless they are there already.
 *
 * @param {string} root
 */
export async function ensurePackages(root) {
  if (packagesAreCurrent(root)) return;
  // The state folder of `dev` and `start`, private to its owner.
  mkdirSync(join(root, '.pixart'), { recursive: true, mode: 0o700 });
  await oneAtATime(join(root, '.pixart', 'install.lock'), async () => {
    if (packagesAreCurrent(root)) return;
    // Older npm versions would run the script that downloads CUDA libraries.
    const env = { ...childEnvironment('npm'), ONNXRUNTIME_NODE_INSTALL: 'skip' };
    await runStep('installing the npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--no-update-notifier'], {
      cwd: root,
      env,
    });
    dropOtherPlatforms(root);
  });
}
