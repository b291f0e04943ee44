// Plain Node: the bootstrap imports this file before anything is installed.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {{ platform: string, arch: string }} Machine
 */

/**
 * Removes what two packages bring for other platforms: 350 of the 800 MB of `node_modules`. If a package has nothing
 * for this platform, it stays as it is.
 *
 * @param {string} root
 * @param {Machine} [machine]
 */
export function dropOtherPlatforms(root, machine = process) {
  const modules = join(root, 'node_modules');
  const runtimes = join(modules, 'onnxruntime-node', 'bin', 'napi-v6');
  if (existsSync(join(runtimes, machine.platform, machine.arch))) {
    keepOnly(runtimes, (name) => name === machine.platform);
    keepOnly(join(runtimes, machine.platform), (name) => name === machine.arch);
  }
  const bridges = join(modules, '@temporalio', 'core-bridge', 'releases');
  if (existsSync(bridges) && readdirSync(bridges).some((name) => isFor(name, machine))) {
    keepOnly(bridges, (name) => isFor(name, machine));
  }
}

/** @type {Record<string, string>} */
const SYSTEMS = { linux: 'linux', darwin: 'apple' };
/** @type {Record<string, string>} */
const PROCESSORS = { x64: 'x86_64', arm64: 'aarch64' };

/**
 * @param {string} triple such as `aarch64-apple-darwin`
 * @param {Machine} machine
 */
function isFor(triple, { platform, arch }) {
  const [processor, ...system] = triple.split('-');
  return processor === PROCESSORS[arch] && system.includes(SYSTEMS[platform] ?? platform);
}

/**
 * @param {string} folder
 * @param {(name: string) => boolean} isOurs
 */
function keepOnly(folder, isOurs) {
  for (const name of readdirSync(folder)) {
    if (!isOurs(name)) rmSync(join(folder, name), { recursive: true });
  }
}
