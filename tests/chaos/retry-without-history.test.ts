import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { createWorkplace, imagesOf, readManifest, type Workplace } from '../e2e/workplace.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

let place: Workplace;
let server: TemporalServer;
let workers: WorkerProcess[] = [];

const stateFolder = (): string => path.join(place.folder, 'state');
const here = (...args: string[]): Promise<Finished> =>
  runHere(args, { ...place.environment, TEMPORAL_ADDRESS: server.address });

/** @param options of the renderer: which sizes it makes, where not all */
async function startFleet(...options: string[]): Promise<void> {
  server = await startTemporalServer({ dbFile: path.join(stateFolder(), 'temporal.db'), ui: false });
  const address = ['--address', server.address];
  workers = [
    new WorkerProcess(['--orchestrator', ...address]),
    new WorkerProcess([
      '--renderer',
      ...address,
      '--bundle',
      place.bundle,
      '--threads',
      '1',
      '--grace',
      '1',
      ...options,
    ]),
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
  await startFleet('--size', '256');
});

afterAll(async () => {
  await stopFleet();
  await place.remove();
});

async function untilRendered(batch: string, images: number): Promise<void> {
  for (;;) {
    const [status] = jsonLines(expectCode(0, await here('status', batch, '--json')));
    if (((status as Status).progress?.totals.rendered ?? 0) >= images) return;
  }
}

type Status = { progress?: { totals: { rendered: number } } };

test('with the server’s database gone, a batch is told of, completed, corrected, and rendered again where it was rejected', async () => {
  const store = path.join(place.folder, 'kept');
  const folder = path.join(store, 'batches', 'things');
  const rows = ['id,prompt,size,steps', 'mug,a red mug,256,2', 'lamp,a red lamp,512,2', 'chair,a red chair,256,2'];
  const catalog = await place.catalog('things.csv', rows.join('\n'));
  const how = ['--batch', 'things', '--store', store, '--window', '2', '--webhook', 'http://127.0.0.1:9/?token=secret'];
  expectCode(0, await here('submit', catalog, ...how));
  await untilRendered('things', 2);
  expectCode(0, await here('cancel', 'things'));
  expectCode(3, await here('watch', 'things'));
  const [mug, chair] = (await readManifest(store, 'things')).images;
  const receipts = await readFile(path.join(folder, '_receipts', '1-00000.jsonl'));

  await stopFleet();
  await rm(stateFolder(), { recursive: true });
  await startFleet();

  const lost = expectCode(2, await here('retry', 'things'));
  expect(lost.stderr).toMatch(/things: unknown to the Temporal server at .*expected its plan at .*\/out, found none/);
  expect((await here('watch', 'things')).stderr).toContain('"status", "report" and "retry" read them from their store');
  const told = expectCode(0, await here('status', 'things', '--store', store));
  expect(told.stdout).toMatch(/^batch things cancelled: 3 jobs, 2 rendered, 1 cancelled/);
  expect(expectCode(0, await here('report', 'things', '--store', store)).stdout).toContain('batch things');

  const edited = await place.catalog('edited.csv', 'id,prompt,size,steps\nlamp,a blue lamp,512,2');
  const decisions = await place.catalog('no.csv', `id,render_key,decision\n${mug!.id},${mug!.renderKey},rejected`);
  const revised = ['--catalog', edited, '--rejected', decisions, '--store', store, '--wait'];
  const second = expectCode(0, await here('retry', 'things', ...revised));
  expect(second.stdout).toContain('round 2 has started: 1 missing image, 1 rejected image again');
  const settings = 'bundle tiny-two-sizes, window 2, at most 10% or 20 failures';
  expect(second.stderr).toMatch(new RegExp(`settings from file:.*, as recorded in the batch's folder: ${settings}`));
  expect(second.stderr).toContain('whose address the store does not keep');
  const made = await readManifest(store, 'things');
  expect(made).toMatchObject({ round: 2, failures: [], totals: { jobs: 3, rendered: 3 } });
  expect(made.images.map(({ prompt }) => prompt)).toEqual(['a red mug', 'a red chair', 'a blue lamp']);
  expect(made.images[0]!.renderKey).not.toBe(mug!.renderKey);
  expect(made.images[1]).toEqual(chair);
  expect(await readFile(path.join(folder, '_receipts', '1-00000.jsonl'))).toEqual(receipts);
  expect(await imagesOf(store, 'things')).toEqual(['chair.png', 'lamp.png', 'mug.png']);
  expect(expectCode(2, await here('retry', 'things')).stderr).toContain('nothing to retry');
});
