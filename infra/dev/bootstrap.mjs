// Plain Node: `npm start` and `npm test` run this file before anything is installed.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTool, ensureVersion } from './install-tool.mjs';
import { ensurePackages } from './packages.mjs';
import { earlierTemporal, fakeGcsServer, temporal } from './pinned-tools.mjs';
import { SetUpError, say, together } from './steps.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function checkMachine() {
  if (process.platform === 'win32') {
    throw new SetUpError('Windows is not supported: expected Linux or macOS; on Windows, use WSL');
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 9)) return;
  throw new SetUpError(`Node.js 20.9 or later is needed, found ${process.versions.node}: https://nodejs.org`);
}

/**
 * Runs a Node program in place of this one. Ctrl-C reaches both; this one only waits for the other to finish.
 *
 * @param {string[]} args
 * @returns {Promise<number>} its exit status
 */
function handOver(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  process.on('SIGINT', () => {});
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** The upgrade test moves a state folder from one version to the other. */
async function ensureTemporals() {
  for (const version of [earlierTemporal, temporal]) {
    await ensureVersion(version).catch((error) => say(`  ${error.message}`));
  }
  await ensureTool(temporal);
}

/** @param {string[]} args */
const vitest = (...args) => handOver(['node_modules/vitest/vitest.mjs', 'run', ...args]);

const verbs = {
  /** @param {string[]} args */
  async start(args) {
    await together([ensurePackages(root), process.env.TEMPORAL_ADDRESS ? null : ensureTool(temporal)]);
    return handOver(['cli/bin.mjs', 'start', ...args]);
  },
  /** @param {string[]} args */
  async test(args) {
    await together([ensurePackages(root), ensureTool(temporal), ensureTool(fakeGcsServer)]);
    // Named one by one: Vitest includes a project that matches any of the filters, so two negated filters include
    // everything.
    return vitest('--project=alone', '--project=sharing', '--project=unit', ...args);
  },
  /** @param {string[]} args */
  async 'test:unit'(args) {
    await ensurePackages(root);
    return vitest('--project=unit', ...args);
  },
  /** @param {string[]} args */
  async 'test:release'(args) {
    await together([ensurePackages(root), ensureTemporals()]);
    // Each file runs a fleet with its own server; six of them on two cores are too slow to answer each other.
    return vitest('--project=release', '--maxWorkers=3', ...args);
  },
};

const [verb = '', ...args] = process.argv.slice(2);
try {
  checkMachine();
  const run = Object.entries(verbs).find(([name]) => name === verb)?.[1];
  if (run === undefined) throw new SetUpError(`expected one of ${Object.keys(verbs).join(', ')}, found "${verb}"`);
  process.exitCode = await run(args);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
