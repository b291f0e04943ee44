import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines } from './command-line.ts';
import { WorkerProcess } from './worker-process.ts';
import { createWorkplace, imagesOf, readManifest, type Workplace } from './workplace.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let place: Workplace;
let server: TemporalServer;
let workers: WorkerProcess[] = [];

const stateFolder = (): string => path.join(place.folder, 'state');
const here = (...args: string[]): Promise<Finished> =>
  runHere(args, { ...place.environment, TEMPORAL_ADDRESS: server.address });

async function startFleet(): Promise<void> {
  server = await startTemporalServer({ dbFile: path.join(stateFolder(), 'temporal.db'), ui: false });
  const address = ['--address', server.address];
  workers = [
    new WorkerProcess(['--orchestrator', ...address]),
    new WorkerProcess(['--renderer', ...address, '--bundle', place.bundle, '--threads', '1', '--grace', '1']),
  ];
  await workers[0]!.said('orchestrator ready');
  await workers[1]!.said('render worker ready');
}

async function stopFleet(): Promise<void> {
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  await server?.stop();
}

beforeAll(async () => {
  place = await createWorkplace();
  await startFleet();
});

afterAll(async () => {
  await stopFleet();
  await place.remove();
});

/** In this store nothing can be rendered, until `unblock`. */
async function blockedStore(): Promise<{ store: string; unblock(): Promise<void> }> {
  const store = path.join(place.folder, 'kept');
  await mkdir(store);
  await symlink(place.folder, path.join(store, 'objects'));
  return { store, unblock: () => rm(path.join(store, 'objects')) };
}

test('with the server’s database gone, a batch is told of, completed, corrected and made anew where it was rejected', async () => {
  const { store, unblock } = await blockedStore();
  const rows = ['id,prompt,steps', 'mug,a red mug,2', 'lamp,a red lamp,2', 'chair,a red chair,2'];
  const catalog = await place.catalog('things.csv', rows.join('\n'));
  const how = ['--batch', 'things', '--store', store, '--window', '2', '--webhook', 'http://127.0.0.1:9/?token=secret'];
  expectCode(3, await here('submit', catalog, ...how, '--wait'));
  await unblock();
  const receipts = path.join(store, 'batches', 'things', '_receipts', '1-00000.jsonl');
  const kept = await readFile(receipts);

  await stopFleet();
  await rm(stateFolder(), { recursive: true });
  await startFleet();

  const lost = expectCode(2, await here('retry', 'things'));
  expect(lost.stderr).toMatch(/things: not known to the Temporal server at .*expected its plan at .*\/out, found none/);
  const told = expectCode(0, await here('status', 'things', '--store', store));
  expect(told.stdout).toMatch(/^batch things completed: 3 jobs, 3 failed/);
  expect(expectCode(0, await here('report', 'things', '--store', store)).stdout).toContain('failures:');

  const edited = await place.catalog('edited.csv', 'id,prompt,steps\nlamp,a blue lamp,2');
  const corrected = ['--catalog', edited, '--store', store, '--wait'];
  const second = expectCode(0, await here('retry', 'things', ...corrected));
  expect(second.stdout).toContain('round 2 has started: 3 missing images; 1 of them as corrected');
  expect(second.stderr).toMatch(
    /taken from file:.*, as its folder says: bundle tiny\S*, window 2, at most 10% or 20 fail/,
  );
  expect(second.stderr).toContain('whose address the store does not keep');
  const made = await readManifest(store, 'things');
  expect(made).toMatchObject({ round: 2, failures: [], totals: { jobs: 3, rendered: 3 } });
  expect(made.images.map(({ prompt }) => prompt)).toEqual(['a red mug', 'a blue lamp', 'a red chair']);
  expect(await readFile(receipts)).toEqual(kept);

  await stopFleet();
  await rm(stateFolder(), { recursive: true });
  await startFleet();

  const [mug] = made.images;
  const decisions = await place.catalog('no.csv', `id,render_key,decision\n${mug!.id},${mug!.renderKey},rejected`);
  const third = expectCode(
    0,
    await here('retry', 'things', '--rejected', decisions, '--store', store, '--json', '--wait'),
  );
  expect(jsonLines(third)[0]).toMatchObject({ round: 3, missing: 0, rejected: 1, from: 'record' });
  const again = await readManifest(store, 'things');
  expect(again).toMatchObject({ round: 3, failures: [], totals: { jobs: 3, rendered: 3 } });
  expect(again.images.map(({ renderKey }, i) => renderKey === made.images[i]!.renderKey)).toEqual([false, true, true]);
  expect(await imagesOf(store, 'things')).toEqual(['chair.png', 'lamp.png', 'mug.png']);
  expect(expectCode(2, await here('retry', 'things')).stderr).toContain('nothing to retry');
});
