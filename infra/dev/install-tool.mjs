// Plain Node: the bootstrap imports this file before anything is installed.
import { chmodSync, createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { oneAtATime, runStep, SetUpError, say } from './steps.mjs';
import { executableName, findTool, toolFolder } from './tools.mjs';

/**
 * @typedef {object} Tool
 * @property {string} name of the program, and of the file in its archive
 * @property {string} purpose why it is needed, for the person who waits
 * @property {string} goPackage what `go install` builds, with its version
 * @property {(platform: string, architecture: string) => string} archive address of a .tar.gz for this machine
 * @property {string} byHand where a person finds it
 */

/** @type {Tool} */
export const temporal = {
  name: 'temporal',
  purpose: "Temporal's server for one machine",
  // Later versions need a module that the public Go proxy does not serve.
  goPackage: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
  archive: (platform, architecture) =>
    `https://temporal.download/cli/archive/latest?platform=${platform}&arch=${architecture}`,
  byHand: 'https://docs.temporal.io/cli',
};

/** @type {Tool} */
export const fakeGcsServer = {
  name: 'fake-gcs-server',
  purpose: 'the emulator of Cloud Storage that the tests talk to',
  goPackage: 'github.com/fsouza/fake-gcs-server@v1.56.1',
  archive: (platform, architecture) =>
    'https://github.com/fsouza/fake-gcs-server/releases/download/v1.56.1/' +
    `fake-gcs-server_1.56.1_${platform[0]?.toUpperCase()}${platform.slice(1)}_${architecture}.tar.gz`,
  byHand: 'https://github.com/fsouza/fake-gcs-server/releases',
};

/**
 * Makes sure that a program is on the PATH or among our own tools: first a ready build, then `go install`.
 *
 * @param {Tool} tool
 * @returns {Promise<string>} its path
 * @throws {SetUpError} that says what to install instead
 */
export async function ensureTool(tool) {
  const there = findTool(tool.name);
  if (there !== null) return there;
  return oneAtATime(join(toolFolder(), `${tool.name}.lock`), async () => {
    const meanwhile = findTool(tool.name);
    if (meanwhile !== null) return meanwhile;
    say(`${tool.name} (${tool.purpose}) is not installed`);
    const problems = [];
    for (const way of [download, build]) {
      try {
        return await intoPlace(tool, way);
      } catch (error) {
        problems.push(/** @type {Error} */ (error).message);
        say(`  ${problems.at(-1)}`);
      }
    }
    throw new SetUpError(
      `${tool.name} could not be installed. Install it by hand from ${tool.byHand}, so that it is on the PATH, ` +
        'or install Go (https://go.dev/dl), or allow access to the internet.',
    );
  });
}

/**
 * Makes the program in a folder of its own and moves it when it is whole.
 *
 * @param {Tool} tool
 * @param {(tool: Tool, folder: string) => Promise<void>} make
 */
async function intoPlace(tool, make) {
  mkdirSync(toolFolder(), { recursive: true });
  const folder = mkdtempSync(join(toolFolder(), `.${tool.name}-`));
  try {
    await make(tool, folder);
    const name = executableName(tool.name);
    chmodSync(join(folder, name), 0o755);
    renameSync(join(folder, name), join(toolFolder(), name));
    return join(toolFolder(), name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {Tool} tool
 * @param {string} folder
 */
async function download(tool, folder) {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const address = tool.archive(process.platform, architecture);
  say(`downloading ${address} …`);
  const archive = join(folder, 'archive.tar.gz');
  const response = await fetch(address, { signal: AbortSignal.timeout(300_000) }).catch((error) => {
    throw new SetUpError(`no download: ${error.cause?.message ?? error.message}`);
  });
  if (!response.ok || response.body === null) throw new SetUpError(`no download: HTTP status ${response.status}`);
  await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(archive));
  await runStep(`unpacking ${tool.name}`, 'tar', ['-xzf', archive, '-C', folder]);
}

/**
 * @param {Tool} tool
 * @param {string} folder
 */
async function build(tool, folder) {
  if (findTool('go') === null) throw new SetUpError('no Go on the PATH to build it with');
  const env = { ...process.env, GOBIN: folder };
  await runStep(`building ${tool.name} with Go, some minutes`, 'go', ['install', tool.goPackage], { env });
}
