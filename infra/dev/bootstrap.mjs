// Plain Node: `npm start` and `npm test` run this file before anything is installed.
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureTool, fakeGcsServer, temporal } from './install-tool.mjs';
import { ensurePackages } from './packages.mjs';
import { SetUpError, say } from './steps.mjs';
import { toolFolder } from './tools.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 9)) return;
  throw new SetUpError(`Node.js 20.9 or later is needed, found ${process.versions.node}: https://nodejs.org`);
}

/**
 * Runs a Node program in place of this one. Ctrl-C reaches both; this one only waits for the other's orderly end.
 *
 * @param {string[]} args
 * @returns {Promise<number>} its exit status
 */
function handOver(args) {
  const env = { ...process.env, PATH: [process.env.PATH, toolFolder()].join(delimiter) };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  process.on('SIGINT', () => {});
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

const verbs = {
  /** @param {string[]} args */
  async start(args) {
    await ensurePackages(root);
    if (!process.env.TEMPORAL_ADDRESS) await ensureTool(temporal);
    return handOver(['cli/bin.mjs', 'start', ...args]);
  },
  /** @param {string[]} args */
  async test(args) {
    await ensurePackages(root);
    await ensureTool(temporal);
    await ensureTool(fakeGcsServer);
    return handOver(['node_modules/vitest/vitest.mjs', 'run', ...args]);
  },
  /** @param {string[]} args */
  async 'test:unit'(args) {
    await ensurePackages(root);
    return handOver(['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', ...args]);
  },
};

const [verb = '', ...args] = process.argv.slice(2);
try {
  checkNode();
  const run = Object.entries(verbs).find(([name]) => name === verb)?.[1];
  if (run === undefined) throw new SetUpError(`expected one of ${Object.keys(verbs).join(', ')}, found "${verb}"`);
  process.exitCode = await run(args);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  say(`\n${error.message}`);
  process.exitCode = 1;
}
