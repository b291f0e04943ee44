import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  describeBatch,
  retryBatch,
  retrying,
  reviewPageEnd,
  submitBatch,
  watchBatch,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { RendererDied } from '../../models/renderer/index.ts';
import { type BatchProgress, PROGRESS_QUERY } from '../../workflows/contract/progress.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

/** Prompts decide how the simulated renderer behaves; a row with "twice" fails on the first attempt only. */
const begun = new Map<string, number>();
let fixed = false;

const before = ({ prompt }: { prompt: string }): void => {
  const attempt = (begun.get(prompt) ?? 0) + 1;
  begun.set(prompt, attempt);
  if (prompt.includes('impossible') && !fixed) throw new UserError('this picture cannot be made');
  if (prompt.includes('twice') && attempt === 1) throw new RendererDied('the renderer died');
};

/** A picture with "slow" in its prompt takes longer than its test. */
const stepMs = ({ prompt }: { prompt: string }): number => (prompt.includes('slow') ? 60_000 : 0);

let site: Site;

beforeAll(async () => {
  site = await startSite({ before, stepMs });
});

afterAll(async () => {
  await site.stop();
});

const rows = (count: number, size: string, what = 'a fox'): string[] =>
  Array.from({ length: count }, (_, index) => `${what} number ${index},${size}`);

describe('a batch', () => {
  it('renders every image of every size, lists each in its manifest and reports its progress', async () => {
    const batch = await site.submit('whole', [...rows(9, '256', 'a cat'), ...rows(5, '512', 'a dog')]);
    const end = await batchEnd(site.client, batch);
    expect(end).toMatchObject({ state: 'completed', result: { totals: { jobs: 14, rendered: 14, failed: 0 } } });
    const manifest = await site.manifest(batch);
    expect(manifest).toMatchObject({ batch, round: 1, state: 'completed', failures: [] });
    expect(new Set(manifest.images.map(({ id }) => id)).size).toBe(14);
    for (const { copy, crc32c } of manifest.images) expect(await site.store.stat(copy)).toMatchObject({ crc32c });
    expect(await site.store.stat(`batches/${batch}/contact-sheet.webp`)).not.toBeNull();
    expect(await batchProgress(site.client, batch)).toMatchObject({
      state: 'completed',
      bySize: { 256: { jobs: 9, rendered: 9 }, 512: { jobs: 5, rendered: 5 } },
    });
  });

  it('shows its state, counts and origin in a listing', async () => {
    const batch = await site.submit('listed', rows(3, '256', 'a hen'));
    await batchEnd(site.client, batch);
    const listing = await describeBatch(site.client, batch);
    expect(listing).toMatchObject({ batch, state: 'completed', total: 3, done: 3, failed: 0, bundle: 'simulated' });
    expect(listing.catalog).toMatch(/^file:.*listed\.csv$/);
  });

  it('is readable in Temporal: what it is, its progress, and its shards and images', async () => {
    const batch = await site.submit('readable', ['a very red door,256', 'an impossible arch,512']);
    await batchEnd(site.client, batch);
    const handle = site.client.temporal.workflow.getHandle(batchWorkflowId(batch));
    const about = await handle.describe();
    expect(await about.staticSummary()).toBe('Images of readable.csv');
    expect(await about.staticDetails()).toContain('bundle: `simulated`');
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toContain('**completed, 1 failed**: 1 of 2 images');
    expect(currentDetails).toContain('- 512 px: 0 of 1 images, 1 failed');
    expect(currentDetails).toContain('this picture cannot be made');
    const shard = site.client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`);
    expect(await (await shard.describe()).staticSummary()).toBe('Images of size 256: 1');
    const { events } = await shard.fetchHistory();
    const summaries = events?.map(({ userMetadata }) => Buffer.from(userMetadata?.summary?.data ?? []).toString());
    expect(summaries).toContainEqual(expect.stringContaining('a very red door'));
  });

  it('sets a hopeless row aside with its reason, retries what may succeed, and a retry round fills the gap', async () => {
    const prompts = ['an impossible stair,256', 'a lamp that works twice,256', ...rows(4, '256', 'a chair')];
    const batch = await site.submit('gaps', prompts);
    await batchEnd(site.client, batch);
    const first = await site.manifest(batch);
    expect(first.failures).toMatchObject([
      { prompt: 'an impossible stair', type: 'UserError', reason: 'this picture cannot be made', attempts: 1 },
    ]);
    expect(first.totals).toMatchObject({ jobs: 6, rendered: 5, failed: 1, extraComputations: 1 });
    expect(first.images.find(({ prompt }) => prompt.includes('twice'))).toMatchObject({ computations: 2 });

    fixed = true;
    expect(await retryBatch(site.client, batch)).toMatchObject({ round: 2 });
    await batchEnd(site.client, batch);
    const second = await site.manifest(batch);
    expect(second).toMatchObject({ round: 2, failures: [], totals: { jobs: 6, rendered: 6, failed: 0 } });
    expect(second.images).toEqual(expect.arrayContaining(first.images));
    const { totals, bySize } = await batchProgress(site.client, batch);
    expect(totals).toMatchObject({ jobs: 6, rendered: 6, failed: 0 });
    expect(bySize).toEqual({ 256: { jobs: 6, rendered: 6, reused: 0, failed: 0 } });
    const listing = await describeBatch(site.client, batch);
    expect(listing).toMatchObject({ round: 2, total: 6, done: 6 });
    expect(listing.catalog).toMatch(/gaps\.csv$/);
    await expect(retryBatch(site.client, batch)).rejects.toThrow('no image is missing');
  });

  it('renders nothing when the same catalog is submitted again', async () => {
    const again = rows(4, '256', 'a bell');
    await batchEnd(site.client, await site.submit('monday', again));
    await batchEnd(site.client, await site.submit('tuesday', again));
    const { totals, images } = await site.manifest('tuesday');
    expect(totals).toMatchObject({ jobs: 4, rendered: 0, reused: 4 });
    for (const { copy } of images) expect(await site.store.stat(copy)).not.toBeNull();
  });

  it('that another team submits at the same moment shares its images: one object each, computed once', async () => {
    const catalog = await site.catalog('shared.csv', rows(12, '256', 'a kite'));
    const names = ['ours', 'theirs'];
    const submit = (name: string) =>
      submitBatch(site.client, {
        ...{ catalog, store: site.store.url, bundle: BUNDLE, batch: name, team: { name, weight: 1 } },
      });
    await Promise.all(names.map(submit));
    for (const name of names) await batchEnd(site.client, name);
    const [ours, theirs] = await Promise.all(names.map((name) => site.manifest(name)));
    expect(ours!.images.map(({ object }) => object)).toEqual(theirs!.images.map(({ object }) => object));
    expect(ours!.totals.rendered + theirs!.totals.rendered).toBe(12);
    expect(ours!.totals.extraComputations + theirs!.totals.extraComputations).toBe(0);
    expect([...begun].filter(([prompt]) => prompt.includes('a kite')).map(([, times]) => times)).toEqual(
      Array.from({ length: 12 }, () => 1),
    );
  });

  it('of an edited catalog renders the changed rows, and says what changed since the previous batch', async () => {
    const catalog = await site.catalog('nightly.csv', ['a jar,256', 'a pot,256', 'a pan,512']);
    const night = async (batch: string) => {
      await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch });
      const end = await batchEnd(site.client, batch);
      // Its review page is written to the same folder after its end.
      if (end.state === 'completed') await reviewPageEnd(site.client, end.result);
      return batchProgress(site.client, batch);
    };
    expect((await night('night-1')).changes).toBeUndefined();
    await site.catalog('nightly.csv', ['a jar,256', 'a red pot,256', 'a pan,512']);
    const { totals, changes } = await night('night-2');
    expect(totals).toMatchObject({ jobs: 3, rendered: 1, reused: 2 });
    expect(changes).toEqual({ since: 'night-1', changed: 0, added: 1, removed: 1, unchanged: 2 });
    const table = Buffer.from(await site.store.read('batches/night-2/changes.csv')).toString();
    expect(table).toContain('"a red pot"');
    await rm(new URL(`${site.store.url}/batches/night-2/`), { recursive: true });
    expect((await night('night-3')).changes).toBeUndefined();
    for await (const { name } of site.store.list('catalogs/')) {
      await site.store.replace(name, Buffer.from('{"batch":"../x"}'), 'application/json');
    }
    expect((await night('night-4')).changes).toBeUndefined();
  });

  it("continues when one of its shards is lost, and lists that shard's jobs as failures", async () => {
    const batch = await site.submit('lost', [...rows(2, '256', 'a slow rock'), ...rows(2, '512', 'a slow tree')]);
    const shards = ['1-0', '1-1'].map((shard) => `${batchWorkflowId(batch)}/${shard}`);
    for (const shard of shards) await untilRunning(site, shard);
    for (const shard of shards) await site.client.temporal.workflow.getHandle(shard).terminate('a person did it');
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    const { failures, totals } = await site.manifest(batch);
    expect(totals).toMatchObject({ jobs: 4, failed: 4, cancelled: 0 });
    expect(new Set(failures.map(({ type }) => type))).toEqual(new Set(['ShardLost']));
    expect((await batchProgress(site.client, batch)).totals.failed).toBe(4);
  });

  it('that is cancelled stops the images in progress, still writes its manifest, and continues only by a retry', async () => {
    const catalog = [...rows(2, '256', 'a hill'), ...rows(7, '256', 'a slow hill')];
    const batch = await site.submit('cancelled', catalog, 2);
    const progress = () => batchProgress(site.client, batch);
    await expect.poll(progress, { timeout: 20_000 }).toMatchObject({ totals: { rendered: 2 } });
    await cancelBatch(site.client, batch);
    expect(await batchEnd(site.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
    const { state, totals, images } = await site.manifest(batch);
    expect({ state, totals }).toMatchObject({ state: 'cancelled', totals: { jobs: 9, rendered: 2, cancelled: 7 } });
    expect(images).toHaveLength(2);
    const sizes = { 256: { jobs: 9, rendered: 2 } };
    expect(await progress()).toMatchObject({ state: 'cancelled', totals, bySize: sizes });
    await expect(cancelBatch(site.client, batch)).rejects.toThrow('it has ended (cancelled)');

    expect(await retryBatch(site.client, batch)).toMatchObject({ round: 2 });
    await cancelBatch(site.client, batch);
    await batchEnd(site.client, batch);
    const again = site.submit(batch, catalog);
    await expect(again).rejects.toThrow('retry its failed rows');
    expect(await retryBatch(site.client, batch)).toMatchObject({ round: 3 });
    await cancelBatch(site.client, batch);
    expect(await batchEnd(site.client, batch)).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  });

  it('reports every image and failure immediately, although its shards report a tenth at a time', async () => {
    const quick = [...rows(3, '256', 'a gate'), 'an impossible gate,256'];
    fixed = false;
    const batch = await site.submit('exact', [...quick, ...rows(36, '256', 'a slow gate')], 1);
    const progress = () => batchProgress(site.client, batch);
    await expect.poll(progress, { timeout: 20_000 }).toMatchObject({ totals: { jobs: 40, rendered: 3, failed: 1 } });
    expect((await progress()).recentFailures).toMatchObject([{ reason: 'this picture cannot be made' }]);
    const handle = site.client.temporal.workflow.getHandle(batchWorkflowId(batch));
    const toldByShards = async () => (await handle.query<BatchProgress, []>(PROGRESS_QUERY)).totals.failed;
    await expect.poll(toldByShards).toBe(1);
    await cancelBatch(site.client, batch);
    await batchEnd(site.client, batch);
  });

  it('says why its images are retried, and how often they have failed', async () => {
    const batch = await site.submit('held-up', ['a slow crane twice,256', 'a slow barge,256']);
    const reasons = () => retrying(site.client, batch);
    await expect.poll(reasons, { timeout: 20_000 }).toEqual([
      {
        ...{ activity: 'renderImage', count: 1, attempts: 1, reason: 'the renderer died' },
        ...{ waitsForStore: false, isPaused: false, since: null, givesUpAt: null },
      },
    ]);
    await cancelBatch(site.client, batch);
    await batchEnd(site.client, batch);
    expect(await reasons()).toEqual([]);
  });

  it('that is terminated and immediately submitted again waits for the shards of its former run to end', async () => {
    const catalog = rows(4, '256', 'a slow well');
    const batch = await site.submit('again', catalog);
    const shard = `${batchWorkflowId(batch)}/1-0`;
    await untilRunning(site, shard);
    await site.client.temporal.workflow.getHandle(batchWorkflowId(batch)).terminate('a person did it');
    await site.submit('again', catalog);
    const first = (await site.client.temporal.workflow.getHandle(shard).describe()).runId;
    const run = async () => (await site.client.temporal.workflow.getHandle(shard).describe()).runId;
    await expect.poll(run, { timeout: 20_000 }).not.toBe(first);
    expect((await batchProgress(site.client, batch)).totals).toMatchObject({ jobs: 4, failed: 0 });
    await cancelBatch(site.client, batch);
    await batchEnd(site.client, batch);
  });

  it('is watched until its end', async () => {
    const batch = await site.submit('watched', rows(6, '256', 'a boat'));
    // Its end is pushed, not found at the next poll.
    const watching = watchBatch(site.client, batch, { everyMs: 3_600_000 });
    const states: string[] = [];
    let next = await watching.next();
    for (; !next.done; next = await watching.next()) states.push(next.value.state);
    expect(states.at(-1)).toBe('completed');
    expect(next.value).toMatchObject({ state: 'completed', result: { batch } });
  });
});

it('a batch of few images is counted once all are there, and its contact sheet starts together with its manifest', async () => {
  const batch = await site.submit('few', rows(12, '256', 'a pear'));
  await batchEnd(site.client, batch);
  const history = async (workflowId: string) =>
    (await site.client.temporal.workflow.getHandle(workflowId).fetchHistory()).events ?? [];
  const own = await history(batchWorkflowId(batch));
  const shard = await history(`${batchWorkflowId(batch)}/1-0`);
  const isReport = (event: (typeof shard)[number]) => event.signalExternalWorkflowExecutionInitiatedEventAttributes;
  expect(shard.filter(isReport)).toEqual([]);
  const begun = own.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled ? [{ type: scheduled.activityType?.name, by: String(scheduled.workflowTaskCompletedEventId) }] : [],
  );
  const [sheet, manifest] = ['writeContactSheet', 'writeManifest'].map((name) =>
    begun.find(({ type }) => type === name),
  );
  expect(sheet?.by).toBe(manifest?.by);
});

async function untilRunning({ client }: Site, workflowId: string): Promise<void> {
  const handle = client.temporal.workflow.getHandle(workflowId);
  for (;;) {
    const pending = await handle.describe().then(
      ({ raw }) => raw.pendingActivities ?? [],
      () => [],
    );
    if (pending.some(({ activityType }) => activityType?.name === 'renderImage')) return;
    await sleep(50);
  }
}
