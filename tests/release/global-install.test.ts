import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { packInto } from './packed.ts';

// npm fetches some hundred packages.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const run = promisify(execFile);

/** Root may write wherever it likes. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const person = isRoot ? { uid: NOBODY, gid: NOBODY } : {};

let folder: string;
let prefix: string;
/** Of the person who uses it: empty, and the only place that they may write to. */
let home: string;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-global-'));
  const [packed, installed, own] = ['packed', 'prefix', 'home'].map((name) => path.join(folder, name));
  prefix = installed!;
  home = own!;
  for (const made of [packed!, home]) await mkdir(made);
  const archive = await packInto(packed!);
  await run('npm', ['install', '--global', '--prefix', prefix, archive], {
    cwd: folder,
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
  await run('chmod', ['-R', 'a-w', prefix]);
  await chmod(folder, 0o755);
  await writeFile(path.join(home, 'catalog.csv'), 'id,prompt\nfox,a red fox\nowl,a grey owl\n');
  if (isRoot) await chown(home, NOBODY, NOBODY);
  environment = { PATH: process.env.PATH, HOME: home };
});

afterAll(async () => {
  await run('chmod', ['-R', 'u+w', prefix]);
  await rm(folder, { recursive: true });
});

const bin = (): string => path.join(prefix, 'bin', 'pixart-batch');

async function pixartBatch(...args: string[]): Promise<string> {
  return (await run(bin(), args, { ...person, cwd: home, env: environment })).stdout;
}

/** A worker, once it is ready. */
async function startWorker(address: string): Promise<ChildProcess> {
  const options = ['worker', '--address', address, '--allow', home, '--threads', '1'];
  const worker = spawn(bin(), options, {
    ...person,
    cwd: home,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  for await (const chunk of worker.stderr!.iterator({ destroyOnReturn: false })) {
    log += chunk;
    if (log.includes('render worker ready') && log.includes('orchestrator ready')) {
      worker.stderr!.resume();
      return worker;
    }
  }
  throw new Error(`expected a worker that gets ready, it has ended:\n${log}`);
}

/** What is below the person's folder, but for what they asked for. */
const leftBehind = async (): Promise<string[]> =>
  (await readdir(home)).filter((name) => !['catalog.csv', 'fox.png', 'out'].includes(name));

test('a command that was installed globally plans and renders, and builds nothing', async () => {
  expect(await pixartBatch('--help')).toContain('Usage: pixart-batch');
  expect(await pixartBatch('plan', 'catalog.csv')).toContain(
    '2 rows, 2 jobs, 2 different images, with bundle pixart-icons',
  );
  expect(await pixartBatch('render', 'a red fox', '--steps', '1', '--out', 'fox.png')).toContain('256×256');
  expect(await leftBehind()).toEqual([]);
});

test('a worker that was installed so renders a batch and makes its review page, and builds nothing', async () => {
  const server = await startTemporalServer({ ui: false });
  const worker = await startWorker(server.address);
  try {
    const told = await pixartBatch('submit', 'catalog.csv', '--batch', 'night', '--wait', '--address', server.address);
    expect(told).toContain('2 jobs, 2 rendered');
    const kept = await readdir(path.join(home, 'out', 'batches', 'night'));
    expect(kept).toEqual(expect.arrayContaining(['contact-sheet.html', 'fox.png', 'manifest.json', 'owl.png']));
    expect(await leftBehind()).toEqual([]);
  } finally {
    worker.kill();
    await once(worker, 'exit');
    await server.stop();
  }
});

test('the package has one bundle, no sources, and nothing that trains', async () => {
  const files = await readdir(path.join(prefix, 'lib/node_modules/pixart-batch'), { recursive: true });
  const own = files.filter((file) => !file.startsWith('node_modules'));
  expect(own.filter((file) => file.endsWith('bundle.json'))).toEqual(['models/bundles/pixart-icons/bundle.json']);
  expect(own.filter((file) => /(?<!\.d)\.ts$|\.py$|^models\/(training|export|network)/.test(file))).toEqual([]);
  expect(own).toContain('built/LICENCES.txt');
});
