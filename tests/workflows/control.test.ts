import { defaultPayloadConverter } from '@temporalio/common';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchEnd, batchProgress, cancelBatch, controlBatch, submitBatch, watchBatch } from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { withinBudget } from '../../workflows/batch/control-rules.ts';
import { shareOf } from '../../workflows/batch/running-shards.ts';
import type { BatchControl, ShardControl } from '../../workflows/contract/control.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import type { ShardInput } from '../../workflows/contract/workflows.ts';
import { shardControlSignal } from '../../workflows/messages.ts';
import { movedPriority } from '../../workflows/shard/render-job.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

const control = (over: Partial<BatchControl>): BatchControl => ({
  ...{
    version: 0,
    paused: null,
    window: 4,
    priority: 3,
    cancelledSizes: [],
    filters: [],
    maxFailures: null,
    forgiven: 0,
  },
  ...over,
});

describe('the arithmetic of control', () => {
  it('shares out a whole window, and starves no shard while a share is left', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 9 }), (window, shards) => {
        const shares = Array.from({ length: shards }, (_, rank) => shareOf(window, shards, rank));
        expect(shares.reduce((a, b) => a + b)).toBe(window);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
        expect(shares).toEqual(shares.toSorted((a, b) => b - a));
      }),
    );
  });

  it("keeps the order of rows when a batch's priority changes, within the server's range", () => {
    expect([1, 3, 5].map((job) => movedPriority(job, 1))).toEqual([1, 1, 3]);
    expect([1, 3, 5].map((job) => movedPriority(job, 3))).toEqual([1, 3, 5]);
    expect([1, 3, 5].map((job) => movedPriority(job, 5))).toEqual([3, 5, 5]);
  });

  it.each([
    [{ count: 2 }, 100, 2, false],
    [{ count: 2 }, 100, 3, true],
    [{ share: 0.05, atLeast: 0 }, 100, 5, false],
    [{ share: 0.05, atLeast: 0 }, 100, 6, true],
    [{ share: 0.1, atLeast: 20 }, 24, 20, false],
    [{ share: 0.1, atLeast: 20 }, 24, 21, true],
    [{ count: 0 }, 1, 1, true],
  ])('a budget of %o of %d jobs with %d failures is exceeded: %s', (maxFailures, jobs, failed, exceeded) => {
    expect(withinBudget(control({ maxFailures }), jobs, failed).paused !== null).toBe(exceeded);
  });

  it('counts failures since a person last resumed the batch', () => {
    const resumed = control({ maxFailures: { count: 2 }, forgiven: 3 });
    expect(withinBudget(resumed, 100, 5).paused).toBeNull();
    expect(withinBudget(resumed, 100, 6).paused).toMatch(/^3 images failed since it was resumed/);
  });
});

let site: Site;

/** Prompts in the order in which workers started them. */
const begun: string[] = [];

/** The duration of each of an image's two steps, by a word of its prompt. */
const STEP_MS = { slow: 60_000, calm: 100, steady: 25 };

beforeAll(async () => {
  site = await startSite({
    before: ({ prompt }) => {
      begun.push(prompt);
      if (prompt.includes('impossible')) throw new UserError('this picture cannot be made');
    },
    stepMs: ({ prompt }) => Object.entries(STEP_MS).find(([pace]) => prompt.includes(pace))?.[1] ?? 0,
  });
});

afterAll(() => site.stop());

const rows = (count: number, what: string, size = '256'): string[] =>
  Array.from({ length: count }, (_, n) => `${what} number ${n},${size}`);

const shardOf = (batch: string) => site.client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`);

async function pending(batch: string) {
  const { raw } = await shardOf(batch).describe();
  const images = (raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'renderImage');
  return { all: images.length, queued: images.filter(({ state }) => state === 1).length };
}

/** A signal that arrives after later ones must have no effect. */
const overtaken: ShardControl = {
  sequence: 1,
  paused: false,
  window: 8,
  priority: 3,
  cancelAll: true,
  filters: [],
};

const soon = { timeout: 10_000, interval: 50 };

describe('a running batch', () => {
  it('is paused with its queue taken back, changed and resumed, and loses only images that are no longer wanted', async () => {
    const batch = await site.submit('held', [...rows(30, 'a steady crab'), ...rows(10, 'a steady gull')], 24);
    await expect.poll(() => pending(batch), soon).toMatchObject({ all: 24 });
    await controlBatch(site.client, batch, { kind: 'pause' });
    await expect.poll(() => pending(batch), soon).toEqual({ all: 0, queued: 0 });
    const held = await batchProgress(site.client, batch);
    expect(held).toMatchObject({ state: 'paused', paused: 'a person paused it', totals: { failed: 0, cancelled: 0 } });
    expect(held.totals.rendered).toBeLessThan(40);

    await controlBatch(site.client, batch, { kind: 'window', window: 3 });
    await controlBatch(site.client, batch, { kind: 'priority', priority: 1 });
    await controlBatch(site.client, batch, { kind: 'cancel-rows', filter: { column: 'prompt', pattern: '*gull*' } });
    expect((await batchProgress(site.client, batch)).totals.rendered).toBe(held.totals.rendered);
    await controlBatch(site.client, batch, { kind: 'resume' });
    await expect.poll(() => pending(batch), soon).toMatchObject({ all: 3 });

    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    const { totals, images, failures } = await site.manifest(batch);
    expect(totals).toMatchObject({ jobs: 40, rendered: 30, cancelled: 10, extraComputations: 0 });
    expect(failures).toEqual([]);
    expect(images.every(({ prompt }) => prompt.includes('crab'))).toBe(true);
    expect((await batchProgress(site.client, batch)).totals).toMatchObject({ rendered: 30, cancelled: 10 });
    const { events } = await shardOf(batch).fetchHistory();
    const keys = events?.flatMap(({ activityTaskScheduledEventAttributes: of }) =>
      of?.activityType?.name === 'renderImage' ? [of.priority?.priorityKey] : [],
    );
    expect(keys?.[0]).toBe(3);
    expect(keys?.at(-1)).toBe(1);
  });

  it('applies the last of many changes, in whatever order its shards receive them', async () => {
    const batch = await site.submit('hasty', rows(24, 'a steady toad'), 8);
    await expect.poll(() => pending(batch), soon).toMatchObject({ all: 8 });
    for (let time = 0; time < 4; time += 1) {
      await controlBatch(site.client, batch, { kind: 'pause' });
      await controlBatch(site.client, batch, { kind: 'window', window: time + 1 });
      await controlBatch(site.client, batch, { kind: 'resume' });
    }
    await controlBatch(site.client, batch, { kind: 'pause' });
    await expect.poll(() => pending(batch), soon).toEqual({ all: 0, queued: 0 });
    await shardOf(batch).signal(shardControlSignal, overtaken);
    await controlBatch(site.client, batch, { kind: 'resume' });
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    expect((await site.manifest(batch)).totals).toMatchObject({ jobs: 24, rendered: 24, cancelled: 0 });
  });

  it('has shards that ignore anything older than their start settings, even while they read their jobs', async () => {
    await batchEnd(site.client, await site.submit('plain', rows(3, 'a toad')));
    const { events } = await shardOf('plain').fetchHistory();
    const { payloads } = events![0]!.workflowExecutionStartedEventAttributes!.input!;
    const input = defaultPayloadConverter.fromPayload<ShardInput>(payloads![0]!);
    // The server buffers it until the shard starts, so it arrives before the jobs are read.
    const shard = await site.client.temporal.workflow.signalWithStart('renderShard', {
      taskQueue: ORCHESTRATOR_QUEUE,
      workflowId: 'a-shard-by-itself',
      args: [{ ...input, control: { ...overtaken, sequence: 2, cancelAll: false } }],
      signal: shardControlSignal,
      signalArgs: [overtaken],
    });
    expect(await shard.result()).toMatchObject({ reused: 3 });
  });

  it('continues without a cancelled size, whose images in progress stop', async () => {
    const batch = await site.submit('sizes', [...rows(4, 'a slow whale'), ...rows(4, 'a slow seal', '512')], 4);
    await expect.poll(() => pending(batch), soon).toMatchObject({ all: 4, queued: 2 });
    await controlBatch(site.client, batch, { kind: 'cancel-size', size: '256' });
    await controlBatch(site.client, batch, { kind: 'cancel-size', size: '512' });
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    expect((await site.manifest(batch)).totals).toMatchObject({ jobs: 8, rendered: 0, failed: 0, cancelled: 8 });
  });

  it('refuses nonsensical changes with the reason, and can be cancelled while paused', async () => {
    const batch = await site.submit('refusing', rows(2, 'a slow newt'), 1);
    await expect.poll(() => pending(batch), soon).toMatchObject({ all: 1 });
    const refused = (change: Parameters<typeof controlBatch>[2]) =>
      expect(controlBatch(site.client, batch, change)).rejects;
    await refused({ kind: 'resume' }).toThrow('batch refusing: it is not paused');
    await refused({ kind: 'window', window: 0 }).toThrow('window: expected a whole number from 1 to 2000, found 0');
    await refused({ kind: 'priority', priority: 6 }).toThrow('priority: expected a whole number from 1 to 5, found 6');
    await refused({ kind: 'cancel-size', size: '4k' }).toThrow('size: expected one of its sizes (256), found 4k');
    await refused({ kind: 'cancel-rows', filter: { column: 'id', pattern: '****' } }).toThrow('at most 3 stars');
    await refused({ kind: 'cancel-rows', filter: { column: 'colour', pattern: 'red' } }).toThrow('found colour');
    await refused({ kind: 'cancel-rows', filter: { column: 'id', pattern: 'zzz' } }).toThrow(
      'batch refusing: expected rows with id=zzz, found none among those it is rendering; nothing was cancelled',
    );
    await controlBatch(site.client, batch, { kind: 'pause' });
    await refused({ kind: 'pause' }).toThrow('it is paused already: a person paused it');
    await cancelBatch(site.client, batch);
    expect(await batchEnd(site.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
    await refused({ kind: 'pause' }).toThrow('it has ended (cancelled)');
  });

  it('pauses itself when more jobs fail than its budget allows, and continues when resumed', async () => {
    const catalog = await site.catalog('broken.csv', [...rows(6, 'an impossible elk'), ...rows(40, 'an elk')]);
    const { batch } = await submitBatch(site.client, {
      ...{ catalog, batch: 'broken', store: site.store.url, bundle: BUNDLE, window: 1 },
      maxFailures: { count: 2 },
    });
    const why = /^\d images failed, more than its budget of 2: look at the last failures, then resume or cancel$/;
    await expect
      .poll(() => batchProgress(site.client, batch), soon)
      .toMatchObject({ paused: expect.stringMatching(why) });
    const { totals, state } = await batchProgress(site.client, batch);
    expect(state).toBe('paused');
    expect(totals.rendered + totals.failed).toBeLessThan(46);
    await controlBatch(site.client, batch, { kind: 'resume', maxFailures: { share: 1, atLeast: 0 } });
    for await (const { paused } of watchBatch(site.client, batch)) expect(paused).toBeUndefined();
    expect((await site.manifest(batch)).totals).toMatchObject({ jobs: 46, rendered: 40, failed: 6 });
  });
});

describe('batches that wait for the same device', () => {
  const whose = (from: number, names: string[]): string[] =>
    begun.slice(from).flatMap((prompt) => names.filter((name) => prompt.includes(name)));
  const submit = async (batch: string, rows: string[], team?: { name: string; weight: number }) => {
    const catalog = await site.catalog(`${batch}.csv`, rows);
    await submitBatch(site.client, { catalog, batch, store: site.store.url, bundle: BUNDLE, window: 60, team });
  };

  it('let an urgent one overtake as soon as its priority changes', async () => {
    await submit('nightly', rows(40, 'a calm moth'));
    await submit('urgent', rows(6, 'a calm wasp'));
    await expect.poll(() => pending('urgent'), soon).toMatchObject({ all: 6 });
    await controlBatch(site.client, 'urgent', { kind: 'priority', priority: 1 });
    const from = begun.length;
    await batchEnd(site.client, 'urgent');
    const between = whose(from, ['moth', 'wasp']);
    expect(between.lastIndexOf('wasp')).toBeLessThan(15);
    await batchEnd(site.client, 'nightly');
  });

  it('of two teams share it by weight, regardless of who came first', async () => {
    const from = begun.length;
    await submit('large', rows(40, 'a steady hawk'), { name: 'large', weight: 1 });
    await expect.poll(() => pending('large'), soon).toMatchObject({ all: expect.any(Number) });
    await submit('small', rows(24, 'a steady wren'), { name: 'small', weight: 3 });
    await batchEnd(site.client, 'small');
    const order = whose(from, ['hawk', 'wren']);
    // While both wait: three of four, give or take what was in hand.
    const shared = order.slice(order.indexOf('wren')).slice(0, 24);
    const wrens = shared.filter((name) => name === 'wren').length;
    expect(wrens, shared.join(' ')).toBeGreaterThanOrEqual(15);
    expect(wrens, shared.join(' ')).toBeLessThanOrEqual(21);
    await batchEnd(site.client, 'large');
  });
});
