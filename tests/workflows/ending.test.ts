import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, it, type TestContext, vi } from 'vitest';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  controlBatch,
  describeBatch,
  listBatches,
  retryBatch,
  retrying,
} from '../../client/index.ts';
import { manifestName, shardName } from '../../records/layout.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import { runHere } from '../cli/run-here.ts';
import { type Fault, Outage } from './outage.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

// Their waits take half a minute, or more on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const outage = new Outage();

let site: Site;

/** How often a picture was started that fails because of a bug of our own. */
let blunders = 0;

beforeAll(async () => {
  site = await startSite({
    open: outage.open,
    before: ({ prompt }) => {
      if (!prompt.includes('blunder')) return;
      blunders += 1;
      throw new TypeError('x is not a function');
    },
    stepMs: ({ prompt }) => (prompt.includes('slow') ? 60_000 : prompt.includes('calm') ? 500 : 0),
  });
});

afterAll(async () => {
  outage.answer();
  await site.stop();
});

const soon = { timeout: 60_000, interval: 50 };
const handleOf = (batch: string): WorkflowHandle => site.client.temporal.workflow.getHandle(batchWorkflowId(batch));
const progressOf = (batch: string) => batchProgress(site.client, batch);
const troubleOf = (batch: string) => retrying(site.client, batch);

/** A batch whose images are done and whose manifest cannot be written. */
async function withManifestAway(batch: string, fault: Fault, { expect }: Pick<TestContext, 'expect'>): Promise<void> {
  outage.begin(`batches/${batch}/manifest`, fault);
  await site.submit(batch, [`a fox of ${batch},256`, `an owl of ${batch},256`]);
  await expect.poll(() => progressOf(batch), soon).toMatchObject({ state: 'finishing' });
}

it.concurrent('a batch whose store is down when it writes its manifest says what it waits for and until when, holds up no other, and can be cancelled twice', async ({
  expect,
}) => {
  await withManifestAway('finishing', 'fails', { expect });
  await expect
    .poll(() => troubleOf('finishing'), soon)
    .toMatchObject([{ activity: 'writeManifest', attempts: 2, reason: 'the store is away', waitsForStore: true }]);
  const [trouble] = await troubleOf('finishing');
  const began = (await describeBatch(site.client, 'finishing')).startedAt.getTime();
  expect(trouble!.since!.getTime()).toBeGreaterThanOrEqual(began - 1_000);
  expect(trouble!.givesUpAt!.getTime() - trouble!.since!.getTime()).toBe(86_400_000);

  expect(await batchEnd(site.client, await site.submit('meanwhile', ['a hare,256']))).toMatchObject({
    state: 'completed',
  });

  await cancelBatch(site.client, 'finishing');
  await cancelBatch(site.client, 'finishing');
  const end = await batchEnd(site.client, 'finishing');
  expect(end).toEqual({ state: 'cancelled', withoutManifest: 'the store is away' });
  expect(await progressOf('finishing')).toMatchObject({
    state: 'cancelled',
    totals: { jobs: 2, rendered: 2, cancelled: 0 },
    withoutManifest: 'the store is away',
  });
  const listed = async () => (await all()).find(({ batch }) => batch === 'finishing');
  await expect
    .poll(listed, soon)
    .toMatchObject({ state: 'cancelled', total: 2, done: 2, withoutManifest: 'the store is away' });

  outage.end('batches/finishing/manifest');
  expect(await retryBatch(site.client, 'finishing')).toMatchObject({ round: 2, missing: 0 });
  const second = await batchEnd(site.client, 'finishing');
  expect(second).toMatchObject({ state: 'completed', result: { totals: { jobs: 2, rendered: 2 } } });
  expect((await describeBatch(site.client, 'finishing')).withoutManifest).toBeNull();
  const manifest = second.state === 'completed' ? second.result.manifest : '';
  expect(await site.store.stat(manifest)).not.toBeNull();
});

it.concurrent('a store that accepts calls and never answers does not hold up a cancellation', async ({ expect }) => {
  await withManifestAway('hanging', 'hangs', { expect });
  await cancelBatch(site.client, 'hanging');
  const end = await batchEnd(site.client, 'hanging');
  expect(end).toMatchObject({
    state: 'cancelled',
    withoutManifest: expect.stringContaining('it has not answered for'),
  });
});

it.concurrent('a store that is back by the time its batch is cancelled gets the manifest', async ({ expect }) => {
  await withManifestAway('back', 'fails', { expect });
  outage.end('batches/back/manifest');
  await cancelBatch(site.client, 'back');
  const end = await batchEnd(site.client, 'back');
  expect(end).toMatchObject({ state: 'completed', result: { totals: { rendered: 2 } } });
});

it.concurrent('a batch that is cancelled while it plans into a store that is down ends without a plan, and says so', async ({
  expect,
}) => {
  outage.begin('batches/unplanned/', 'fails');
  await site.submit('unplanned', ['a wren,256']);
  await expect.poll(() => troubleOf('unplanned'), soon).toMatchObject([{ activity: 'planBatch', waitsForStore: true }]);
  await cancelBatch(site.client, 'unplanned');
  expect(await batchEnd(site.client, 'unplanned')).toMatchObject({ withoutManifest: 'the store is away' });
  expect(await describeBatch(site.client, 'unplanned')).toMatchObject({ state: 'cancelled', total: 0 });
});

it.concurrent('a paused batch whose store goes down is cancelled: its shards stop without receipts, and a retry finds their images', async ({
  expect,
}) => {
  await site.submit('shards', ['a lark,256', 'a slow lark,256', 'a slower lark,256'], 2);
  await expect.poll(() => progressOf('shards'), soon).toMatchObject({ totals: { rendered: 1 } });
  await controlBatch(site.client, 'shards', { kind: 'pause' });
  outage.begin('batches/shards/', 'fails');
  await cancelBatch(site.client, 'shards');
  expect(await batchEnd(site.client, 'shards')).toMatchObject({ withoutManifest: 'the store is away' });
  expect(await progressOf('shards')).toMatchObject({ totals: { jobs: 3, rendered: 1, cancelled: 2 } });
  outage.end('batches/shards/');
  expect(await retryBatch(site.client, 'shards', { window: 1 })).toMatchObject({ round: 2, missing: 3 });
  await expect.poll(() => progressOf('shards'), soon).toMatchObject({ totals: { jobs: 3, reused: 1 } });
  await cancelBatch(site.client, 'shards');
  await batchEnd(site.client, 'shards');
});

it.concurrent('an image whose worker does not release it holds up no cancellation', async ({ expect }) => {
  await site.submit('stuck', ['a calm finch,512']);
  await expect.poll(() => progressOf('stuck'), soon).toMatchObject({ totals: { jobs: 1 } });
  outage.begin('batches/stuck/', 'hangs');
  const before = outage.hanging;
  await expect.poll(() => outage.hanging, soon).toBeGreaterThan(before);
  outage.end('batches/stuck/');
  await cancelBatch(site.client, 'stuck');
  expect(await batchEnd(site.client, 'stuck')).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  expect((await site.manifest('stuck')).totals).toMatchObject({ jobs: 1, cancelled: 1 });
});

it.concurrent('an image that fails because of our own code is computed once, and its failure named', async ({
  expect,
}) => {
  await site.submit('blunder', ['a blunder,256']);
  await batchEnd(site.client, 'blunder');
  const failure = { type: 'TypeError', reason: 'unexpected TypeError: x is not a function', attempts: 1 };
  expect((await site.manifest('blunder')).failures).toMatchObject([failure]);
  expect(blunders).toBe(1);
});

it.concurrent('a batch whose plan was moved away waits for it, and writes no empty manifest', async ({ expect }) => {
  await withManifestAway('moved', 'fails', { expect });
  const folder = new URL(`${site.store.url}/batches/moved/`);
  // An attempt that finds half of a plan takes it for damaged: move it while none can be reading it.
  outage.begin('batches/moved/_plan', 'fails');
  const attempts = async (): Promise<number> => (await troubleOf('moved'))[0]?.attempts ?? 0;
  const before = await attempts();
  await expect.poll(attempts, soon).toBeGreaterThan(before + 1);
  await rename(new URL('_plan', folder), new URL('elsewhere', folder));
  for (const what of ['_plan', 'manifest']) outage.end(`batches/moved/${what}`);
  const away = { waitsForStore: true, reason: expect.stringContaining('restore batches/moved/_plan/') };
  await expect.poll(() => troubleOf('moved'), soon).toMatchObject([away]);
  await rename(new URL('elsewhere', folder), new URL('_plan', folder));
  expect(await batchEnd(site.client, 'moved')).toMatchObject({ state: 'completed', result: { totals: { jobs: 2 } } });
});

it.concurrent('permanent damage ends its batch at once, with the reason and without a manifest', async ({ expect }) => {
  await withManifestAway('damaged', 'fails', { expect });
  for await (const { name } of site.store.list('batches/damaged/_plan/')) {
    await site.store.replace(name, Buffer.from('{"id": 7}\n'), 'application/x-ndjson');
  }
  const end = await batchEnd(site.client, 'damaged');
  expect(end).toMatchObject({ state: 'failed', reason: expect.any(String) });
  expect((await describeBatch(site.client, 'damaged')).withoutManifest).toContain(reasonOf(end).slice(0, 50));
  expect(await site.store.stat(manifestName('damaged'))).toBeNull();
});

it.concurrent('a bug in workflow code fails the workflow with the reason, instead of being retried forever', async ({
  expect,
}) => {
  const input: BatchInput = {
    ...{ batch: 'nonsense', round: 2, store: site.store.url, source: { kind: 'retry' }, bundle: BUNDLE, window: 1 },
    defaults: { size: '256', format: 'png', quality: null },
  };
  await site.client.temporal.workflow.start('renderBatch', {
    ...{ ...batchStart(input), args: [], taskQueue: ORCHESTRATOR_QUEUE },
  });
  const end = await batchEnd(site.client, 'nonsense');
  expect(end).toMatchObject({ state: 'failed', reason: expect.stringContaining('undefined') });
  expect((await handleOf('nonsense').describe()).status.name).toBe('FAILED');
});

it.concurrent('code that does not match a history fails nothing: the workflow continues once the right version is there', async ({
  expect,
}) => {
  const client = site.client.temporal;
  const connection = await NativeConnection.connect({ address: site.client.address });
  const right = { workflowBundle: await workflowBundle(Runtime.instance().logger) };
  const wrong = { workflowsPath: fileURLToPath(new URL('changed-workflows.ts', import.meta.url)) };
  const worker = async (code: typeof right | typeof wrong) => {
    const started = await Worker.create({ connection, taskQueue: 'changing', ...code });
    const running = started.run();
    return async () => {
      started.shutdown();
      await running;
    };
  };
  await site.submit('changing', ['a slow swift,512']);
  const shard = { shard: 0, size: '512', jobs: 1, name: shardName('changing', 1, 0) } as const;
  await expect.poll(() => site.store.stat(shard.name), soon).not.toBeNull();
  const stopRight = await worker(right);
  const handle = await client.workflow.start('renderShard', {
    ...{ taskQueue: 'changing', workflowId: 'changing' },
    args: [{ store: site.store.url, batch: 'changing', round: 1, bundleDigest: BUNDLE.digest, shard, window: 1 }],
  });
  const pending = async () =>
    ((await handle.describe()).raw.pendingActivities ?? []).map(({ activityType }) => activityType?.name);
  await expect.poll(pending, soon).toEqual(['renderImage']);
  await stopRight();
  const stopWrong = await worker(wrong);
  await handle.cancel();
  const failures = async () =>
    (await handle.fetchHistory()).events?.filter(({ workflowTaskFailedEventAttributes: of }) => of).length;
  await expect.poll(failures, soon).toBeGreaterThan(0);
  expect((await handle.describe()).status.name).toBe('RUNNING');
  await stopWrong();
  const stop = await worker(right);
  await expect.poll(async () => (await handle.describe()).status.name, soon).toBe('CANCELLED');
  await stop();
  await connection.close();
  await cancelBatch(site.client, 'changing');
  await batchEnd(site.client, 'changing');
});

it('the commands show what a batch waits for, that it ended without a manifest, and what writes one', async ({
  expect,
}) => {
  const here = (...args: string[]) => runHere([...args, '--address', site.client.address]);
  await withManifestAway('spoken', 'fails', { expect });
  await expect.poll(() => troubleOf('spoken'), soon).toHaveLength(1);
  const status = await here('status', 'spoken');
  expect(status.stdout).toMatch(
    /writing the manifest: waiting for the store since .* UTC, \d attempts? so far: the store is away; gives up at /,
  );
  const json = JSON.parse((await here('status', 'spoken', '--json')).stdout);
  expect(json).toMatchObject({ retrying: [{ activity: 'writeManifest', waitsForStore: true }], withoutManifest: null });

  const advice = '"npx pixart-batch retry spoken" writes it, and renders what is missing';
  const cancelled = await here('cancel', 'spoken', '--wait');
  expect(cancelled.code).toBe(3);
  expect(cancelled.stdout).toContain(`ended without a manifest: the store is away\n${advice}`);
  expect(cancelled.stdout).not.toContain('manifest.json');
  const watched = await here('watch', 'spoken', '--json');
  expect(watched.code).toBe(3);
  const end = JSON.parse(watched.stdout.trim().split('\n').at(-1)!);
  expect(end).toMatchObject({ state: 'cancelled', manifest: null, withoutManifest: 'the store is away' });
  expect((await here('status', 'spoken')).stdout).toContain('ended without a manifest: the store is away');
  const listed = async () => (await here('list')).stdout;
  await expect.poll(listed, soon).toContain(`spoken ended without a manifest: the store is away\n  ${advice}`);
  expect(await listed()).toMatch(/unplanned +cancelled +\? +\?/);
});

const reasonOf = (end: Awaited<ReturnType<typeof batchEnd>>): string => (end.state === 'failed' ? end.reason : '');

async function all() {
  const found = [];
  for await (const listing of listBatches(site.client)) found.push(listing);
  // The server's listing lags behind.
  await sleep(50);
  return found;
}

it.concurrent('a contact sheet that the store refused while the manifest waited is written together with it', async ({
  expect,
}) => {
  outage.begin('batches/sheet/contact-sheet', 'full');
  await withManifestAway('sheet', 'fails', { expect });
  const failures = async () =>
    ((await handleOf('sheet').fetchHistory()).events ?? []).filter((event) => event.activityTaskFailedEventAttributes);
  await expect.poll(async () => (await failures()).length, soon).toBe(1);
  for (const what of ['contact-sheet', 'manifest']) outage.end(`batches/sheet/${what}`);
  const end = await batchEnd(site.client, 'sheet');
  expect(end).toMatchObject({ state: 'completed', result: { contactSheet: 'batches/sheet/contact-sheet.webp' } });
});
