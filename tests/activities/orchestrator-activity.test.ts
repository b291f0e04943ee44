import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createOrchestratorActivities } from '../../activities/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { encodeJobs, encodeOutcomes } from '../../records/plan-and-receipts.ts';
import { ObjectNotFound, type OpenStore, StoreDenied, StoreUnavailable } from '../../store/index.ts';
import type { OrchestratorActivities } from '../../workflows/contract/activities.ts';
import { SHEET_PAGES_AT_ONCE, STORE_SILENCE_SECONDS } from '../../workflows/contract/limits.ts';
import { anywhere } from '../anywhere.ts';
import { Outage } from '../workflows/outage.ts';
import { folderStore, tinyJob } from './rendering.ts';
import '../quiet-runtime.ts';

const failing =
  (error: unknown): OpenStore =>
  async () => {
    throw error;
  };

const thrownBy = async (work: Promise<unknown>) => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('expected a failure');
};

/** What a record's activity and the plan's end with where the store cannot be opened. */
async function failures(error: unknown) {
  const { planBatch, readShard } = createOrchestratorActivities({ ...anywhere, openStore: failing(error) });
  const input = { store: 'gs://b', shard: 's' };
  const plan = input as unknown as Parameters<OrchestratorActivities['planBatch']>[0];
  return Promise.all([
    thrownBy(new MockActivityEnvironment().run(planBatch, plan)),
    thrownBy(new MockActivityEnvironment().run(readShard, input)),
  ]);
}

test('a store that denies access ends the planning at once, while records wait until it lets them in', async () => {
  const [plan, record] = await failures(new StoreDenied('no token'));
  expect(plan).toMatchObject({ nonRetryable: true, message: 'no token' });
  expect(record).toMatchObject({ nonRetryable: false, message: 'no token' });
});

test('a store that is away is waited for', async () => {
  for (const failure of await failures(new StoreUnavailable('503'))) {
    expect(failure).toMatchObject({ type: 'StoreUnavailable', message: '503', nonRetryable: false });
  }
});

test.each([
  [new UserError('no store of that name'), 'UserError', 'no store of that name'],
  [new ObjectNotFound('no such plan'), 'ObjectNotFound', 'no such plan'],
  [z.string().safeParse(7).error, 'ZodError', expect.stringContaining('expected string')],
  [new TypeError('x is not a function'), 'TypeError', 'unexpected TypeError: x is not a function'],
  [new RangeError('Invalid string length'), 'RangeError', 'unexpected RangeError: Invalid string length'],
  [
    new SyntaxError('Unexpected end of JSON input'),
    'SyntaxError',
    'unexpected SyntaxError: Unexpected end of JSON input',
  ],
  [new Error('it cannot be'), 'Error', 'unexpected Error: it cannot be'],
  ['a mere text', 'Error', 'a mere text'],
])('what another attempt would find just the same is final, and named: $1', async (error, type, message) => {
  for (const failure of await failures(error)) expect(failure).toMatchObject({ type, message, nonRetryable: true });
});

test('a record that reads as damaged is read again, as it may be the disk that erred; in the third attempt it is final', async () => {
  const store = await folderStore();
  const shard = 'batches/night/_plan/1-00000.jsonl';
  await store.create(shard, Buffer.from('{"id":'), 'application/x-ndjson');
  const { readShard } = createOrchestratorActivities({ ...anywhere, openStore: async () => store });
  const attempt = (number: number) =>
    new MockActivityEnvironment({ attempt: number }).run(readShard, { store: store.url, shard });
  for (const [earlier, nonRetryable] of [false, false, true].entries()) {
    await expect(attempt(earlier + 1)).rejects.toMatchObject({ type: 'DamagedRecord', nonRetryable });
  }
});

/** An activity that writes receipts into a store that gives no answer. */
async function writingInto(outage: Outage) {
  const store = await folderStore();
  outage.begin('batches/', 'hangs');
  const { writeReceipts } = createOrchestratorActivities({ ...anywhere, openStore: outage.open });
  const environment = new MockActivityEnvironment();
  const outcomes = [{ id: 'fox', type: 'Error', reason: 'none', attempts: 1 }];
  const input = { store: store.url, batch: 'night', round: 1, shard: 0, outcomes };
  const written = environment.run(writeReceipts, input);
  written.catch(() => {});
  while (outage.hanging === 0) await sleep(1);
  const receipts = () => store.read('batches/night/_receipts/1-00000.jsonl').catch(() => null);
  return { environment, written, receipts, outcomes };
}

test('a record that is cancelled is finished where its store answers', async () => {
  const outage = new Outage();
  const { environment, written, receipts, outcomes } = await writingInto(outage);
  environment.cancel('CANCELLED');
  await sleep(20);
  outage.answer();
  await written;
  expect(await receipts()).toEqual(encodeOutcomes(outcomes));
});

test('a record that is cancelled gives a silent store up', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const outage = new Outage();
  const { environment, written } = await writingInto(outage);
  const beats: unknown[] = [];
  environment.on('heartbeat', (details) => beats.push(details));
  vi.advanceTimersByTime(2_000);
  expect(beats).toEqual([{ waitsFor: null }]);
  vi.advanceTimersByTime(1_000 * STORE_SILENCE_SECONDS);
  const silence = expect.stringMatching(/^store file:.*: it has not answered for more than 10 seconds$/);
  expect(beats.at(-1)).toEqual({ waitsFor: silence });
  environment.cancel('CANCELLED');
  await expect(written).rejects.toMatchObject({ type: 'StoreUnavailable', message: silence });
});

test('any other step that is cancelled stops at once', async () => {
  const outage = new Outage();
  outage.begin('batches/', 'hangs');
  const { readShard } = createOrchestratorActivities({ ...anywhere, openStore: outage.open });
  const environment = new MockActivityEnvironment();
  const reading = environment.run(readShard, {
    store: (await folderStore()).url,
    shard: 'batches/night/_plan/1-00000.jsonl',
  });
  environment.cancel('CANCELLED');
  await expect(reading).rejects.toBeInstanceOf(CancelledFailure);
});

test('of those that wait for one store that is away only a few ask it, and the others leave their turns to other batches', async () => {
  const outage = new Outage();
  const [away, there] = [await folderStore(), await folderStore()];
  outage.begin('batches/away/', 'fails');
  const { readShard } = createOrchestratorActivities({ ...anywhere, openStore: outage.open });
  const shard = (batch: string) => `batches/${batch}/_plan/1-00000.jsonl`;
  const read = (store: string, batch: string) =>
    new MockActivityEnvironment().run(readShard, { store, shard: shard(batch) });
  const plan = await encodeJobs([tinyJob('0'.repeat(64))]);
  await there.create(shard('night'), plan, 'application/x-ndjson');

  await expect(read(away.url, 'away')).rejects.toThrow('the store is away');
  outage.begin('batches/away/', 'hangs');
  const asking = [read(away.url, 'away'), read(away.url, 'away')];
  await sleep(20);
  await expect(read(away.url, 'away')).rejects.toMatchObject({ message: 'the store is away', nonRetryable: false });
  expect(await read(there.url, 'night')).toHaveLength(1);
  outage.end('batches/away/');
  outage.answer();
  await Promise.all(asking.map((ended) => expect(ended).rejects.toMatchObject({ type: 'ObjectNotFound' })));
  await away.create(shard('away'), plan, 'application/x-ndjson');
  expect(await Promise.all([1, 2, 3].map(() => read(away.url, 'away')))).toHaveLength(3);
});

test('an activity that may take hours leaves turns to others', async () => {
  const outage = new Outage();
  const { url } = await folderStore();
  outage.begin('batches/', 'hangs');
  const { writeSheetPage } = createOrchestratorActivities({ ...anywhere, openStore: outage.open });
  const make = () => new MockActivityEnvironment().run(writeSheetPage, { store: url, batch: 'night' });
  const begun = Array.from({ length: SHEET_PAGES_AT_ONCE }, make);
  while (outage.hanging < begun.length) await sleep(1);
  await expect(make()).rejects.toMatchObject({ type: 'TurnsTaken', nonRetryable: false, nextRetryDelay: '10 seconds' });
  outage.end('batches/');
  outage.answer();
  await Promise.all(begun);
  expect(await make()).toBe('batches/night/contact-sheet.html');
});
