import { execFileSync } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { type Finished, ROOT, RunningCommand } from './command-line.ts';
import { WorkerProcess } from './worker-process.ts';

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
 * Takes a commit out of this repository's history. Packages are those of today's lock, and builds go into the folder too.
 *
 * @throws Error where the clone is too shallow to have the commit
 */
export async function earlierVersion(commit: string, folder: string): Promise<EarlierVersion> {
  const root = path.join(folder, commit);
  await mkdir(root);
  execFileSync('tar', ['-x', '-C', root], { input: archiveOf(commit) });
  await symlink(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
  const bin = path.join(root, 'cli', 'bin.mjs');
  const cache = { XDG_CACHE_HOME: path.join(folder, 'cache') };
  return {
    run: (args, environment) => new RunningCommand([bin, ...args], { ...environment, ...cache }).finished,
    worker: (options) => new WorkerProcess(options, cache, [], bin),
  };
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
