import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRenderActivities, HeldPictures } from '../../activities/index.ts';
import { simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { collect } from '../../cli/display/output.ts';
import {
  type BatchClient,
  batchEnd,
  batchProgress,
  cleanStore,
  connect,
  controlBatch,
  createSchedule,
  describeBatch,
  describeSchedule,
  forget,
  listBatches,
  listSchedules,
  retryBatch,
  retrying,
  submitBatch,
  temporalTarget,
  triggerSchedule,
} from '../../client/index.ts';
import { dataConverter } from '../../connection/data-converter.ts';
import type { BundleRef } from '../../domain/bundle-ref.ts';
import { UserError } from '../../domain/user-error.ts';
import { KeyMissing, type Keyring } from '../../encryption/keyring.ts';
import { RendererDied } from '../../models/renderer/index.ts';
import { openStore } from '../../store/index.ts';
import { keyUse } from '../../workers/key-use.ts';
import { listenForStop, untilStopped } from '../../workers/stopping.ts';
import { KEY_MISSING } from '../../workflows/contract/limits.ts';
import { batchWorkflowId, renderQueue } from '../../workflows/contract/queues.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { wordsIn } from './raw-database.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** Words that occur nowhere else. */
const WORDS = ['vermilune', 'zephyrine', 'quaggaloo', 'brambleth', 'ombrelune', 'thistlewyn'];

const [older, newer] = [lineOf('older'), lineOf('newer')];

/** Pictures of these words fail, with messages that quote the whole prompt, as a renderer's may. */
const renderer = () => {
  const night = { isRetried: false };
  const before = ({ prompt }: { prompt: string }): void => {
    if (prompt.includes('zephyrine')) throw new UserError(`this cannot be drawn: ${prompt}`);
    if (prompt.includes('quaggaloo') && !night.isRetried) throw new RendererDied(`it ended while it drew ${prompt}`);
  };
  return { night, before };
};

/**
 * A night that leaves most kinds of traces on the server: failures at once and after retries, a change, a retry, a
 * schedule, a failed batch.
 */
async function busyNight(site: Site, night: { isRetried: boolean }): Promise<void> {
  const { client } = site;
  const rows = ['a vermilune fox,256', 'a zephyrine stair,256', 'a quaggaloo in snow,512', 'an ombrelune,512'];
  await site.submit('night', rows);
  await expect.poll(() => retrying(client, 'night')).toMatchObject([{ reason: expect.stringContaining('quaggaloo') }]);
  await controlBatch(client, 'night', { kind: 'cancel-rows', filter: { column: 'prompt', pattern: '*quaggaloo*' } });
  await batchEnd(client, 'night');
  expect((await batchProgress(client, 'night')).recentFailures[0]!.reason).toContain('zephyrine');
  night.isRetried = true;
  await retryBatch(client, 'night');
  await batchEnd(client, 'night');
  expect((await site.manifest('night')).failures).toHaveLength(1);

  await schedule(site, 'sound', ['a brambleth at dawn,256']);
  await schedule(site, 'broken', ['a fox,thistlewyn']);
  expect((await describeSchedule(client, 'broken')).runs[0]).toMatchObject({ state: 'failed' });
}

async function schedule(site: Site, name: string, rows: string[]): Promise<void> {
  const catalog = await site.catalog(`${name}.csv`, rows);
  const request = { name, catalog, store: site.store.url, bundle: BUNDLE, when: { cron: '0 3 29 2 *' } };
  await createSchedule(site.client, request);
  await triggerSchedule(site.client, name);
  const ended = async () => (await describeSchedule(site.client, name)).runs.map(({ state }) => state);
  await expect.poll(ended).toEqual([expect.stringMatching(/completed|failed/)]);
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-encryption-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Which words the server's files contain after a night, and while there is a write-ahead log beside them. */
async function wordsAfterNight(name: string, ring: Keyring | null): Promise<{ running: string[]; stopped: string[] }> {
  const dbFile = path.join(folder, name, 'temporal.db');
  const { night, before } = renderer();
  const site = await startSite({ before, keyring: ring, dbFile });
  try {
    await busyNight(site, night);
    return { running: await wordsIn(dbFile, WORDS), stopped: await site.stop().then(() => wordsIn(dbFile, WORDS)) };
  } catch (error) {
    await site.stop();
    throw error;
  }
}

it("with keys, the Temporal server's files contain no word of any prompt; without keys, they contain every word", async () => {
  const nights = await Promise.all([wordsAfterNight('encrypted', keyring()), wordsAfterNight('plain', null)]);
  expect(nights).toEqual([
    { running: [], stopped: [] },
    { running: WORDS, stopped: WORDS },
  ]);
});

describe('a batch', () => {
  let site: Site;
  const clients: BatchClient[] = [];
  const connections: NativeConnection[] = [];

  /** Another client of the same server. */
  async function clientWith(ring: Keyring | null): Promise<BatchClient> {
    const client = await connect(temporalTarget({ address: site.client.address }), { keyring: ring });
    clients.push(client);
    return client;
  }

  beforeAll(async () => {
    // The site has both keys, to read everything; `newer` encrypts.
    site = await startSite({ before: renderer().before, keyring: keyring(newer, older) });
  });

  afterAll(async () => {
    for (const { close } of clients) await close();
    for (const connection of connections) await connection.close();
    await site.stop();
  });

  const request = async (batch: string, rows: string[]) => ({
    ...{ catalog: await site.catalog(`${batch}.csv`, rows), store: site.store.url, bundle: BUNDLE, batch },
  });

  it.each([
    ['was started before there were keys', () => null],
    ['was started with a key that is no longer the first', () => keyring(older)],
  ])('that %s goes on, and can be read and retried', async (_, ringOf) => {
    const ring = ringOf();
    const batch = ring === null ? 'from-before' : 'rotated';
    const client = await clientWith(ring);
    await submitBatch(client, await request(batch, [`a fox for ${batch},256`, 'a zephyrine arch,512']));
    const end = await batchEnd(site.client, batch);
    expect(end).toMatchObject({ state: 'completed', result: { totals: { rendered: 1, failed: 1 } } });
    expect(await describeBatch(site.client, batch)).toMatchObject({ batch, state: 'completed', store: site.store.url });
    expect(await retryBatch(site.client, batch)).toMatchObject({ round: 2, from: 'server' });
    await batchEnd(site.client, batch);
  });

  it('loses no attempt to a worker that lacks its key: the worker stops, and the images wait for another', async () => {
    const bundle = { ...BUNDLE, digest: 'cd'.repeat(32), sizes: ['256' as const] };
    const strange = keyUse(keyring(lineOf('newer')));
    const stopping = listenForStop(0);
    onTestFinished(stopping.ignore);
    const stopped = untilStopped([await renderWorker(bundle, strange.dataConverter)], [strange], stopping);
    await submitBatch(site.client, { ...(await request('waiting', ['a fox,256', 'an owl,256'])), bundle });
    await expect(stopped).rejects.toThrow(KeyMissing);
    await expect.poll(() => keyMissingOf('waiting')).toBe(true);
    const right = await renderWorker(bundle, dataConverter(keyring(newer)));
    const end = await right.runUntil(batchEnd(site.client, 'waiting'));
    expect(end).toMatchObject({ result: { totals: { rendered: 2, failed: 0, extraComputations: 0 } } });
  });

  async function renderWorker(bundle: BundleRef, converter: DataConverter): Promise<Worker> {
    const activities = createRenderActivities({
      ...{ openStore, captions: simulatedCaptions, renderer: simulatedRenderer({ bundle }), held: new HeldPictures() },
    });
    const connection = await NativeConnection.connect({ address: site.client.address });
    connections.push(connection);
    const taskQueue = renderQueue('256', bundle.digest);
    return Worker.create({ connection, taskQueue, activities, dataConverter: converter });
  }

  /** Whether an image was handed back: a worker's message about a missing key is readable in Temporal's UI. */
  async function keyMissingOf(batch: string): Promise<boolean> {
    const { events } = await site.client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`).fetchHistory();
    const failures = (events ?? []).map((event) => event.activityTaskFailedEventAttributes?.failure);
    return failures.some(
      (failure) =>
        failure?.applicationFailureInfo?.type === KEY_MISSING && failure.message!.includes('expected encryption key'),
    );
  }

  it('whose key a client lacks is still listed, and everything else says which key is missing', async () => {
    await submitBatch(site.client, await request('sealed', ['a fox,256']));
    await batchEnd(site.client, 'sealed');
    const keyId = keyring(newer).current.id;
    for (const ring of [null, keyring(older), keyring(lineOf('newer'))]) {
      const client = await clientWith(ring);
      const listed = await collect(listBatches(client));
      expect(listed.find(({ batch }) => batch === 'sealed')).toMatchObject({
        ...{ state: 'completed', total: 1, done: 1, failed: 0, catalog: 'unknown', keyMissing: keyId },
      });
      for (const ask of [describeBatch, batchProgress, batchEnd, retryBatch]) {
        const asked = ask(client, 'sealed');
        await expect(asked, ask.name).rejects.toThrow(KeyMissing);
        await expect(asked, ask.name).rejects.toThrow(`expected encryption key "${keyId}"`);
      }
    }
  });

  it('whose key is lost can still be cleaned and forgotten if its store has it', async () => {
    await submitBatch(site.client, await request('lost', ['a fox,256']));
    await batchEnd(site.client, 'lost');
    const client = await clientWith(null);
    const old = async (): Promise<string[]> =>
      (await cleanStore(client, { store: site.store.url, batchesOlderThanMs: 0 })).batches.map(({ batch }) => batch);
    // The batch has ended before its review page is written.
    await expect.poll(old).toContain('lost');
    const { histories } = await forget(client, { store: site.store.url, batch: 'lost' });
    expect(histories).toBeGreaterThan(1);
    const where = [{ column: 'id', pattern: 'no such row' }];
    expect(await forget(client, { store: site.store.url, batch: 'lost', where })).toMatchObject({ batches: [] });
    const elsewhere = forget(client, { store: path.join(site.folder, 'elsewhere'), batch: 'lost' });
    await expect(elsewhere).rejects.toThrow(/expected its rows in .*elsewhere, found none.*encrypted with key newer\./);
  });

  it('of a schedule whose key a client lacks is also listed', async () => {
    await schedule(site, 'nightly', ['a moon,256']);
    const client = await clientWith(null);
    const keyMissing = keyring(newer).current.id;
    const listed = () => collect(listSchedules(client));
    await expect.poll(listed).toMatchObject([{ name: 'nightly', catalog: 'unknown', fault: null, keyMissing }]);
    expect(await collect(listSchedules(site.client))).toMatchObject([{ name: 'nightly', store: site.store.url }]);
  });
});
