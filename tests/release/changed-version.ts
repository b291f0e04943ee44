import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

/** What workers are made of. */
const SOURCES = [
  ...['activities', 'catalog', 'cleaning', 'cli', 'client', 'codec-server', 'connection', 'credentials', 'domain'],
  ...['encryption', 'exporting', 'forgetting', 'images', 'infra', 'models/pixart', 'models/renderer', 'monitoring'],
  ...[
    'pictures',
    'records',
    'review-page',
    'store',
    'workers',
    'workflows',
    'package.json',
    'package-lock.json',
    'tsconfig.json',
  ],
];

const WORKFLOW = path.join('workflows', 'batch', 'render-batch.ts');

/** Begins with a command that histories of this version do not have: neither version can go on with a batch of the other. */
const CHANGES = [
  ['import {\n', 'import {\n  sleep,\n'],
  ['  listen(batch);\n', '  listen(batch);\n  await sleep(1);\n'],
] as const;

/**
 * A copy of this version whose batches begin otherwise.
 *
 * @param folder where it is put
 * @returns what starts a worker of it
 */
export async function changedVersion(folder: string): Promise<(options: string[]) => WorkerProcess> {
  const home = path.join(folder, 'changed-version');
  await mkdir(home);
  for (const source of SOURCES) await cp(path.join(ROOT, source), path.join(home, source), { recursive: true });
  await lendPackages(path.join(home, 'node_modules'));
  let code = await readFile(path.join(home, WORKFLOW), 'utf8');
  for (const [before, after] of CHANGES) {
    if (!code.includes(before)) throw new Error(`${WORKFLOW}: expected ${JSON.stringify(before)}, found another text`);
    code = code.replace(before, after);
  }
  await writeFile(path.join(home, WORKFLOW), code);
  const cache = { XDG_CACHE_HOME: path.join(folder, 'changed-cache') };
  return (options) => new WorkerProcess(options, cache, [], path.join(home, 'cli', 'bin.mjs'));
}

/** The one that programs have within them has to be found where they are. */
const WITHIN = 'zod';

async function lendPackages(packages: string): Promise<void> {
  const ours = path.join(ROOT, 'node_modules');
  await mkdir(packages);
  for (const name of await readdir(ours)) {
    const [from, to] = [path.join(ours, name), path.join(packages, name)];
    await (name === WITHIN ? cp(from, to, { recursive: true }) : symlink(from, to));
  }
}
