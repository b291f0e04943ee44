import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../../infra/dev/tools.mjs';
import { type Finished, ROOT, RunningCommand } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

/** What a commit's commands are made of; its pictures, histories and documents are not needed. */
const SOURCES = [
  ...['activities', 'catalog', 'cli', 'client', 'contact-sheet', 'images', 'infra', 'models/pixart', 'models/renderer'],
  ...['monitoring', 'store', 'workers', 'workflows', 'package.json', 'package-lock.json'],
];

const PACKAGES = path.join('source', 'node_modules');

/** The product as it was at a commit: its commands and workers, run from a folder of their own. */
export type EarlierVersion = {
  run(args: string[], environment: NodeJS.ProcessEnv): Promise<Finished>;
  worker(options: string[]): WorkerProcess;
};

/**
 * Takes a commit out of this repository's history. It is kept in the cache with what it builds of itself, for the next
 * time. Packages are those of today's lock.
 *
 * @throws Error where the clone is too shallow to have the commit
 */
export async function earlierVersion(commit: string): Promise<EarlierVersion> {
  const all = path.join(cacheFolder(), 'earlier-versions');
  await mkdir(all, { recursive: true });
  await dropOfGoneClones(all);
  // What it builds of itself names the packages by their real paths, so that two clones cannot share it.
  const clone = createHash('sha256').update(ROOT).digest('hex').slice(0, 12);
  const home = path.join(all, `${commit}-${clone}`);
  if (!existsSync(home)) await takeOut(commit, home);
  const bin = path.join(home, 'source', 'cli', 'bin.mjs');
  const cache = { XDG_CACHE_HOME: path.join(home, 'cache') };
  return {
    run: (args, environment) => new RunningCommand([bin, ...args], { ...environment, ...cache }).finished,
    worker: (options) => new WorkerProcess(options, cache, [], bin),
  };
}

async function dropOfGoneClones(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const home = path.join(folder, name);
    // Follows the link, which dangles once the clone is gone.
    if (!existsSync(path.join(home, PACKAGES))) await rm(home, { recursive: true, force: true });
  }
}

async function takeOut(commit: string, home: string): Promise<void> {
  const unfinished = await mkdtemp(path.join(cacheFolder(), 'earlier-version.'));
  await mkdir(path.join(unfinished, 'source'));
  execFileSync('tar', ['-x', '-C', path.join(unfinished, 'source')], { input: archiveOf(commit) });
  await symlink(path.join(ROOT, 'node_modules'), path.join(unfinished, PACKAGES));
  await rename(unfinished, home);
}

function archiveOf(commit: string): Buffer {
  try {
    return execFileSync('git', ['archive', commit, ...SOURCES], { cwd: ROOT, maxBuffer: 2 ** 30 });
  } catch (error) {
    throw new Error(
      `commit ${commit} cannot be taken out of the repository; a shallow clone gets it with "git fetch --unshallow"`,
      {
        cause: error,
      },
    );
  }
}
