/**
 * How long an orchestrator's event loop is blocked while it works on whole batches: heartbeats, and all other batches of
 * that process, are delayed by that much. Measures a wide batch (rows with distinct keys, as planned by versions before the
 * limit on columns) and a long one. Needs no server and no renderer: the activities themselves run, on a store in a
 * temporary folder.
 *
 *   npx tsx benchmarks/event-loop.ts [--rows 250] [--keys 190] [--jobs 50000]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createPlanBatch } from '../activities/plan-batch.ts';
import { createWriteManifest } from '../activities/write-manifest.ts';
import { createWriteReviewPage } from '../activities/write-review-page.ts';
import type { Job } from '../domain/job.ts';
import { shardName } from '../records/layout.ts';
import { encodeJobs } from '../records/plan-and-receipts.ts';
import { openStore } from '../store/index.ts';
import { anywhere } from '../tests/anywhere.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '250' },
    keys: { type: 'string', default: '190' },
    jobs: { type: 'string', default: '50000' },
  },
});

const bundle = { name: 'none', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };
const folder = await mkdtemp(path.join(tmpdir(), 'pixart-event-loop-'));
const store = await openStore(pathToFileURL(path.join(folder, 'out')).href);

/** Prints the longest delay of the event loop during some work, and how long the work took. */
async function tell(what: string, work: () => Promise<unknown>): Promise<void> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  // A delay is recorded on the loop's next turn.
  await new Promise((resolve) => setTimeout(resolve, 20));
  delays.disable();
  console.log(
    `${what.padEnd(36)} longest delay ${(delays.max / 1e6).toFixed(0).padStart(7)} ms of ${ms.toFixed(0)} ms`,
  );
}

const job = (index: number, metadata: Job['metadata']): Job => ({
  id: `row-${index}`,
  prompt: `a fox, number ${index}`,
  negativePrompt: '',
  size: '256',
  bin: { height: 256, width: 256 },
  width: 256,
  height: 256,
  seed: index,
  steps: 2,
  guidance: 4,
  format: 'png',
  quality: null,
  priority: 3,
  renderKey: index.toString(16).padStart(64, '0'),
  line: index + 1,
  metadata,
});

async function wide(rows: number, keys: number): Promise<void> {
  const jobs = Array.from({ length: rows }, (_, row) =>
    job(row, Object.fromEntries(Array.from({ length: keys }, (_, key) => [`key_${row}_${key}`, 'x']))),
  );
  await store.create(shardName('wide', 1, 0), await encodeJobs(jobs), 'application/x-ndjson');
  await finish('wide', `${rows} rows × ${keys} keys`);
}

async function long(rows: number): Promise<void> {
  const catalog = path.join(folder, 'long.csv');
  const columns = Array.from({ length: 20 }, (_, column) => `column_${column}`);
  const lines = Array.from({ length: rows }, (_, row) =>
    [`row-${row}`, `a fox, ${row}`, ...columns].join(',').replace(', ', ' '),
  );
  await writeFile(catalog, [['id', 'prompt', ...columns].join(','), ...lines].join('\n'));
  const input = (batch: string) => ({
    batch,
    ...{ round: 1, store: store.url, bundle, window: 4 },
    source: { kind: 'catalog' as const, url: pathToFileURL(catalog).href, format: 'csv' as const, columns: {} },
    defaults: { size: '256' as const, format: 'png' as const, quality: null },
  });
  await tell(`plan of ${rows} rows`, () => createPlanBatch(anywhere)(input('monday')));
  await finish('monday', `${rows} rows`, pathToFileURL(catalog).href);
  await tell(`plan of ${rows} rows, compared`, () => createPlanBatch(anywhere)(input('tuesday')));
}

async function finish(batch: string, what: string, catalog?: string): Promise<void> {
  const { name, digest } = bundle;
  await tell(`manifest of ${what}`, () =>
    createWriteManifest(openStore)({
      ...{ store: store.url, batch, round: 1, state: 'completed', lostShards: [], bundle: { name, digest } },
      startedAt: new Date(0).toISOString(),
      ...(catalog !== undefined && { catalog }),
    }),
  );
  await tell(`review page of ${what}`, () => createWriteReviewPage(openStore)({ store: store.url, batch }));
}

try {
  await wide(Number(values.rows), Number(values.keys));
  await long(Number(values.jobs));
} finally {
  await rm(folder, { recursive: true });
}
