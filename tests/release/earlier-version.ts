import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { cacheFolder } from '../../infra/dev/tools.mjs';
import { type Finished, ROOT, RunningCommand } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

/** What a commit's commands are made of; its pictures, histories and documents are not needed. */
const SOURCES = [
  ...['activities', 'catalog', 'cli', 'client', 'contact-sheet', 'images', 'infra', 'models/pixart', 'models/renderer'],
  ...['monitoring', 'store', 'workers', 'workflows', 'package.json', 'package-lock.json'],
];

/** The product as it was at a commit: its commands and workers, run from a folder of their own. */
export type EarlierVersion = {
  run(args: string[], environment: NodeJS.ProcessEnv): Promise<Finished>;
  worker(options: string[]): WorkerProcess;
};

/**
 * Takes a commit out of this repository's history. It is kept in the cache with what it builds of itself, for the next time. Packages are
 * those of today's lock.
 *
 * @throws Error where the clone is too shallow to have the commit
 */
export async function earlierVersion(commit: string): Promise<EarlierVersion> {
  const home = path.join(cacheFolder(), 'earlier-versions', commit);
  if (!existsSync(home)) await takeOut(commit, home);
  await useTodaysPackages(home);
  const bin = path.join(home, 'source', 'cli', 'bin.mjs');
  const cache = { XDG_CACHE_HOME: path.join(home, 'cache') };
  return {
    run: (args, environment) => new RunningCommand([bin, ...args], { ...environment, ...cache }).finished,
    worker: (options) => new WorkerProcess(options, cache, [], bin),
  };
}

/** What it built of itself names the packages' real paths, so another clone, whose packages these were, takes its builds along. */
async function useTodaysPackages(home: string): Promise<void> {
  const link = path.join(home, 'source', 'node_modules');
  const packages = path.join(ROOT, 'node_modules');
  if ((await readlink(link).catch(() => undefined)) === packages) return;
  await rm(path.join(home, 'cache'), { recursive: true, force: true });
  await rm(link, { force: true });
  await symlink(packages, link);
}

async function takeOut(commit: string, home: string): Promise<void> {
  await mkdir(path.dirname(home), { recursive: true });
  const unfinished = await mkdtemp(`${home}.`);
  await mkdir(path.join(unfinished, 'source'));
  execFileSync('tar', ['-x', '-C', path.join(unfinished, 'source')], { input: archiveOf(commit) });
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
