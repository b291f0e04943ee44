import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { HeldPictures } from '../../activities/index.ts';
import { batchEnd, batchProgress, cancelBatch, controlBatch, retrying } from '../../client/index.ts';
import { HELD_AT_LEAST_BYTES, imagesInHand, STORING_HOURS } from '../../workflows/contract/limits.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { Outage } from './outage.ts';
import { type Site, startSite } from './site.ts';

vi.setConfig({ testTimeout: 120_000 });

/** How many pictures the worker may hold. */
const HELD = 4;

const outage = new Outage();
const held = new HeldPictures({ limitBytes: HELD * HELD_AT_LEAST_BYTES, firstPauseMs: 10 });
const soon = { timeout: 60_000, interval: 50 };

let site: Site;
let computed: string[] = [];

beforeAll(async () => {
  site = await startSite({ open: outage.open, held, before: ({ prompt }) => computed.push(prompt) });
});

beforeEach(() => {
  computed = [];
  outage.begin('objects/', 'full');
});

afterAll(() => site.stop());

const rows = (count: number, what: string): string[] => Array.from({ length: count }, (_, n) => `${what} ${n},256`);
const waiting = () => held.count('256');

async function imagesThatWait(batch: string) {
  return (await retrying(site.client, batch)).filter(({ activity }) => activity === 'renderImage');
}

test('a full store makes no picture render twice: the worker holds up to its limit, takes no more, and stores all once there is room', async () => {
  const batch = await site.submit('full', rows(12, 'a fox'), 12);
  await expect.poll(() => held.isFull, soon).toBe(true);
  const reason = { attempts: 0, reason: 'the disk is full', waitsForStore: true };
  await expect.poll(() => imagesThatWait(batch), soon).toMatchObject([reason]);
  const [trouble] = await imagesThatWait(batch);
  expect(trouble!.givesUpAt!.getTime() - trouble!.since!.getTime()).toBe(3_600_000 * STORING_HOURS);

  // Pictures that it had taken before it reached the limit are rendered too.
  await expect.poll(() => waiting() === computed.length, soon).toBe(true);
  expect(computed.length).toBeGreaterThanOrEqual(HELD);
  expect(computed.length).toBeLessThanOrEqual(HELD + imagesInHand(1));

  outage.end('objects/');
  expect(await batchEnd(site.client, batch)).toMatchObject({
    state: 'completed',
    result: { totals: { jobs: 12, rendered: 12, extraComputations: 0 } },
  });
  expect(computed).toHaveLength(12);
  expect(waiting()).toBe(0);
  for (const { computations } of (await site.manifest(batch)).images) expect(computations).toBe(1);
});

test('copies that are refused after their objects were stored wait too', async () => {
  outage.end('objects/');
  // Not the batch's own folders, whose names begin with an underscore.
  const copies = Array.from('0123456789abcdef', (digit) => `batches/copied/${digit}`);
  for (const names of copies) outage.begin(names, 'full');
  const batch = await site.submit('copied', rows(2, 'a lark'));
  await expect.poll(waiting, soon).toBe(2);
  for (const names of copies) outage.end(names);
  expect(await batchEnd(site.client, batch)).toMatchObject({
    result: { totals: { rendered: 2, extraComputations: 0 } },
  });
  expect(computed).toHaveLength(2);
});

test('while a picture waits, its rows leave the worker to other batches', async () => {
  outage.end('objects/');
  const copies = Array.from('0123456789abcdef', (digit) => `batches/same/${digit}`);
  for (const names of copies) outage.begin(names, 'full');
  const same = await site.submit('same', ['a crane,256', 'a crane,256', 'a crane,256']);
  await expect.poll(waiting, soon).toBe(3);
  const free = await site.submit('free', rows(1, 'a stork'));
  expect(await batchEnd(site.client, free)).toMatchObject({ result: { totals: { rendered: 1 } } });
  for (const names of copies) outage.end(names);
  expect(await batchEnd(site.client, same)).toMatchObject({ result: { totals: { jobs: 3, failed: 0 } } });
  expect(computed).toHaveLength(2);
});

test('a pause takes back waiting pictures, and the repeated computations are counted', async () => {
  const batch = await site.submit('paused', rows(3, 'an owl'));
  await expect.poll(waiting, soon).toBe(3);
  await controlBatch(site.client, batch, { kind: 'pause' });
  await expect.poll(waiting, soon).toBe(0);
  outage.end('objects/');
  await controlBatch(site.client, batch, { kind: 'resume' });
  expect(await batchEnd(site.client, batch)).toMatchObject({
    result: { totals: { rendered: 3, extraComputations: 3 } },
  });
  expect(computed).toHaveLength(6);
});

test('a smaller window does not take back finished pictures', async () => {
  const batch = await site.submit('narrow', rows(3, 'a swift'));
  await expect.poll(waiting, soon).toBe(3);
  await controlBatch(site.client, batch, { kind: 'window', window: 1 });
  const shard = site.client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`);
  const events = async () => (await shard.fetchHistory()).events ?? [];
  const asked = async () =>
    (await events()).some(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'activitiesInHand',
    );
  await expect.poll(asked, soon).toBe(true);
  outage.end('objects/');
  expect(await batchEnd(site.client, batch)).toMatchObject({
    result: { totals: { rendered: 3, extraComputations: 0 } },
  });
  expect((await events()).some((event) => event.activityTaskCancelRequestedEventAttributes)).toBe(false);
  expect(computed).toHaveLength(3);
});

test('a cancelled batch discards waiting pictures', async () => {
  const batch = await site.submit('cancelled', rows(3, 'a wren'));
  await expect.poll(waiting, soon).toBe(3);
  await cancelBatch(site.client, batch);
  expect(await batchEnd(site.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  await expect.poll(waiting, soon).toBe(0);
  expect((await batchProgress(site.client, batch)).totals).toMatchObject({ jobs: 3, cancelled: 3 });
});
