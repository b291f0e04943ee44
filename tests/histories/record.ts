/**
 * Records what tests/workflows/replay.test.ts replays: real runs on a real server, with what belongs to this machine taken out. Run
 * it when a workflow is meant to change, beside the histories of earlier versions: `npx tsx tests/histories/record.ts v2`
 */
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { CaptionSource } from '../../activities/index.ts';
import { simulatedCaptions } from '../../benchmarks/simulated-renderer.ts';
import type { EncodeActivities } from '../../workflows/contract/activities.ts';
import { UserError } from '../../domain/user-error.ts';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  controlBatch,
  createSchedule,
  listBatches,
  retryBatch,
  submitBatch,
  triggerSchedule,
} from '../../client/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import type { ControlChange } from '../../workflows/contract/control.ts';
import { runLongBatch } from '../workflows/long-batch.ts';
import { Outage } from '../workflows/outage.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const version = process.argv[2] ?? 'v1';

async function record(name: string, client: Client, workflowId: string, store: string, runId?: string): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const file = fileURLToPath(new URL(`${name}.${version}.json`, import.meta.url));
  const { History } = proto.temporal.api.history.v1;
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  await writeFile(file, `${JSON.stringify(anonymous(plain, store))}\n`);
  console.log(`${name}: ${history.events?.length} events`);
}

/** Takes this machine's paths and names out, within payloads too; their data is base64. */
function anonymous(value: unknown, store: string): unknown {
  const clean = (text: string): string =>
    text.replaceAll(store.replace(/out$/, ''), 'file:///srv/').replaceAll(ROOT, '').replaceAll(hostname(), 'host');
  const walk = (node: unknown, key: string): unknown => {
    if (Array.isArray(node)) return node.map((item) => walk(item, key));
    if (node !== null && typeof node === 'object') {
      return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, walk(item, name)]));
    }
    if (typeof node !== 'string') return node;
    return key === 'data' ? Buffer.from(clean(Buffer.from(node, 'base64').toString())).toString('base64') : clean(node);
  };
  return walk(value, '');
}

async function recordBatches(site: Site, mend: () => void): Promise<void> {
  const { temporal: client } = site.client;
  const keep = (name: string, workflowId: string) => record(name, client, workflowId, site.store.url);

  const batch = batchWorkflowId(await site.submit('night', ['a fox,256', 'an impossible stair,256', 'an owl,512']));
  await batchEnd(site.client, 'night');
  await keep('batch-completed', batch);
  await keep('shard-with-failure', `${batch}/1-0`);
  mend();
  await retryBatch(site.client, 'night');
  await batchEnd(site.client, 'night');
  await keep('batch-retried', batch);

  const rows = await site.catalog('told.csv', ['a lynx,256', 'a slow hill,512']);
  // Nobody listens there; what counts is that the batch has its event delivered.
  const told = { catalog: rows, store: site.store.url, bundle: BUNDLE, batch: 'told', webhook: 'http://127.0.0.1:9/' };
  await submitBatch(site.client, told);
  await untilDone(site, 'told');
  await cancelBatch(site.client, 'told');
  await batchEnd(site.client, 'told');
  await keep('batch-told', batchWorkflowId('told'));
  await keep('delivery-refused', await refusedDelivery(client));

  const stopped = batchWorkflowId(await site.submit('stopped', ['a hen,256', 'a slow hill,256', 'a slow dale,256'], 2));
  await untilDone(site, 'stopped');
  await cancelBatch(site.client, 'stopped');
  await batchEnd(site.client, 'stopped');
  await keep('batch-cancelled', stopped);
  await keep('shard-cancelled', `${stopped}/1-0`);

  await recordEndings(site, keep);

  const held = batchWorkflowId(await site.submit('held', many(40), 24));
  const change = (to: ControlChange) => controlBatch(site.client, 'held', to);
  await untilDone(site, 'held');
  await change({ kind: 'pause' });
  await change({ kind: 'window', window: 3 });
  await change({ kind: 'priority', priority: 1 });
  await change({ kind: 'cancel-rows', filter: { column: 'prompt', pattern: '*number 3*' } });
  await change({ kind: 'resume' });
  await batchEnd(site.client, 'held');
  await keep('batch-controlled', held);
  await keep('shard-controlled', `${held}/1-0`);

  const catalog = await site.catalog('nightly.csv', ['a moon,256']);
  await createSchedule(site.client, {
    name: 'nightly',
    when: { cron: '@daily' },
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
  });
  await triggerSchedule(site.client, 'nightly');
  for (;;) {
    for await (const { batch: found } of listBatches(site.client)) {
      if (!found.startsWith('nightly')) continue;
      await batchEnd(site.client, found);
      for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = 'scheduledBatch'` })) {
        await client.workflow.result(workflowId);
        return keep('scheduled-batch', workflowId);
      }
    }
  }
}

/** Shards whose texts are encoded ahead: by a worker, in several turns; and by nobody at first. */
async function recordCaptions(): Promise<void> {
  const encoded = new Set<string>();
  const encodeCaptions: EncodeActivities['encodeCaptions'] = async ({ batch, from, to }) => {
    encoded.add(batch);
    return { until: Math.min(to, from + 2), encoded: 2 };
  };
  const captions: CaptionSource = async (store, request, signal) => {
    if (request.prompt.includes('unread') && !encoded.has('unread')) {
      throw ApplicationFailure.nonRetryable('not encoded', 'CaptionNotKept', { attempts: 7 });
    }
    return simulatedCaptions(store, request, signal);
  };
  const site = await startSite({ bundle: { ...BUNDLE, encoder: 'cd'.repeat(32) }, captions });
  const keep = (name: string, batch: string) =>
    record(name, site.client.temporal, `${batchWorkflowId(batch)}/1-0`, site.store.url);

  await site.submit('unread', ['a fox,256', 'an unread owl,256']);
  await untilDone(site, 'unread');
  await site.serve(encodeCaptions);
  await batchEnd(site.client, 'unread');
  await keep('shard-without-encoder', 'unread');

  await site.submit('read', ['a fox,256', 'an owl,256', 'a hen,256', 'a lynx,256']);
  await batchEnd(site.client, 'read');
  await keep('shard-encoded-ahead', 'read');
  await site.stop();
}

/** Batches that are cancelled, or fail, while their store is away. */
async function recordEndings(site: Site, keep: (name: string, workflowId: string) => Promise<void>): Promise<void> {
  const finishing = async (batch: string) => {
    outage.begin(`batches/${batch}/manifest`, 'fails');
    const workflowId = batchWorkflowId(await site.submit(batch, ['a hut,256']));
    while ((await batchProgress(site.client, batch)).state !== 'finishing');
    return workflowId;
  };

  const late = await finishing('late');
  await cancelBatch(site.client, 'late');
  await batchEnd(site.client, 'late');
  await keep('batch-cancelled-finishing', late);

  const failed = await finishing('failed');
  for await (const { name } of site.store.list('batches/failed/_plan/')) {
    await site.store.replace(name, Buffer.from('{}\n'), 'application/x-ndjson');
  }
  await batchEnd(site.client, 'failed');
  await keep('batch-failed', failed);

  const away = batchWorkflowId(await site.submit('away', ['a barn,256', 'a slow hill,256']));
  await untilDone(site, 'away');
  outage.begin('batches/away/', 'fails');
  await cancelBatch(site.client, 'away');
  await batchEnd(site.client, 'away');
  await keep('batch-without-manifest', away);
  await keep('shard-without-receipts', `${away}/1-0`);
}

const many = (count: number): string[] => Array.from({ length: count }, (_, row) => `a steady fox number ${row},256`);

/** The workflow that was to tell the webhook of the batch `told`, which no orchestrator is allowed to. */
async function refusedDelivery(client: Client): Promise<string> {
  for (;;) {
    for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = 'deliverWebhook'` })) {
      await client.workflow.result(workflowId).catch(() => undefined);
      return workflowId;
    }
  }
}

/** Until the batch has been told of its first image. */
async function untilDone(site: Site, batch: string): Promise<void> {
  for (;;) if ((await batchProgress(site.client, batch)).totals.rendered > 0) return;
}

const outage = new Outage();
let mended = false;
const site = await startSite({
  open: outage.open,
  before: ({ prompt }) => {
    if (prompt.includes('impossible') && !mended) throw new UserError('this picture cannot be made');
  },
  stepMs: ({ prompt }) => (prompt.includes('slow') ? 60_000 : prompt.includes('steady') ? 30 : 0),
});
await recordBatches(site, () => {
  mended = true;
});
await site.stop();

await recordCaptions();

const long = await runLongBatch();
for await (const { status, runId } of long.client.workflow.list({ query: `WorkflowId = '${long.workflowId}'` })) {
  // The listing lags behind: the last run may be said to run still.
  const name = status.name === 'CONTINUED_AS_NEW' ? 'batch-continued-as-new' : 'batch-continued';
  await record(name, long.client, long.workflowId, long.store.url, runId);
}
await long.stop();
