/**
 * What a night costs on Temporal Cloud: counts the actions, its billing unit, of two batches on a local server, from
 * their histories and from the calls that reach the server, and extrapolates to 10,000 images. Rendering is simulated:
 * an image takes `--seconds`, with heartbeats. `npx tsx benchmarks/temporal-actions.ts [--images 1000] [--seconds 3]`
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { batchEnd, connect, submitBatch, temporalTarget } from '../client/index.ts';
import { startTemporalServer } from '../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../models/pixart/index.ts';
import { BUNDLE, simulatedChildren } from '../tests/chaos/simulated-children.ts';
import { startGateway } from '../tests/client/gateway.ts';
import { WorkerProcess } from '../tests/e2e/worker-process.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import { type Actions, billedActions, sumOf, totalOf } from './actions/billed-actions.ts';

const { values } = parseArgs({
  options: { images: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '3' } },
});
const [IMAGES, SECONDS] = [Number(values.images), Number(values.seconds)];

const FEW = 100;
const SLOW_IMAGES = 20;
const NIGHT = 10_000;
const STEPS = 20;

/** Dollars, for the first five million a month: docs.temporal.io/cloud/pricing, read 2026-11-30. */
const PRICE_OF_A_MILLION = 50;

/** Queries of `watch` are extra: in a terminal, one a second for the batch and for each running shard. */
const CALLS: Record<string, string> = { RecordActivityTaskHeartbeat: 'heartbeats', QueryWorkflow: 'queries' };

const calls: Actions = {};
const folder = await mkdtemp(path.join(tmpdir(), 'pixart-actions-'));
const server = await startTemporalServer({ ui: false });
const gateway = await startGateway(server.address, (call) => {
  const kind = CALLS[call];
  if (kind !== undefined) calls[kind] = (calls[kind] ?? 0) + 1;
  return null;
});
const { address } = gateway;
const client = await connect(temporalTarget({ address }));
const bundle = bundleRef(await openBundle(BUNDLE));
const orchestrator = new WorkerProcess(['--orchestrator', '--address', address]);
try {
  await orchestrator.said('orchestrator ready');
  const [few, many] = await withRenderer(0, async () => [await actionsOf('few', FEW), await actionsOf('many', IMAGES)]);
  const slow = await withRenderer((1_000 * SECONDS) / STEPS, () => actionsOf('slow', SLOW_IMAGES));
  tell(few!, many!, (slow.heartbeats ?? 0) / SLOW_IMAGES);
} finally {
  await orchestrator.kill('SIGKILL');
  await client.close();
  gateway.stop();
  await server.stop();
  await rm(folder, { recursive: true });
}

/** @param stepMs the time of one step of its renderer */
async function withRenderer<T>(stepMs: number, use: () => Promise<T>): Promise<T> {
  const computed = path.join(folder, 'computed');
  const environment = await simulatedChildren({ computed, stepMs });
  const options = ['--renderer', '--address', address, '--bundle', BUNDLE, '--children', '1', '--threads', '1'];
  const worker = new WorkerProcess(options, environment);
  try {
    await worker.said('render worker ready');
    return await use();
  } finally {
    await worker.kill('SIGTERM');
  }
}

/** Submits a batch, waits until it is complete, and counts its actions. */
async function actionsOf(batch: string, images: number): Promise<Actions> {
  for (const kind of Object.keys(calls)) delete calls[kind];
  const catalog = path.join(folder, `${batch}.csv`);
  const rows = Array.from({ length: images }, (_, row) => `${batch} ${row},256,${STEPS}`);
  await writeFile(catalog, ['prompt,size,steps', ...rows].join('\n'));
  const store = pathToFileURL(path.join(folder, 'out')).href;
  await submitBatch(client, { catalog, store, bundle, batch });
  const end = await batchEnd(client, batch);
  if (end.state !== 'completed') throw new Error(`${batch}: ${JSON.stringify(end)}`);
  // The review page's workflow runs a little longer.
  const ofBatch = `WorkflowId STARTS_WITH ${JSON.stringify(batchWorkflowId(batch))}`;
  const running = `${ofBatch} AND ExecutionStatus = "Running"`;
  while ((await client.temporal.workflow.count(running)).count > 0) await sleep(500);
  const counted: Actions[] = [{ ...calls }];
  for await (const { workflowId, runId } of client.temporal.workflow.list({ query: ofBatch })) {
    const { events } = await client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    counted.push(billedActions(events ?? []));
  }
  console.log(`${batch}: ${images} images, ${counted.length - 1} workflows`);
  return sumOf(counted);
}

/** @param slow heartbeats of an image that takes `--seconds` */
function tell(few: Actions, many: Actions, slow: number): void {
  console.log(`actions of a batch${' '.repeat(10)}${FEW} images  ${IMAGES} images`);
  for (const kind of Object.keys({ ...few, ...many })) {
    console.log(`  ${kind.padEnd(26)}${String(few[kind] ?? 0).padStart(10)}  ${String(many[kind] ?? 0).padStart(10)}`);
  }
  const without = ({ heartbeats = 0, ...others }: Actions): number => totalOf(others);
  const perImage = (without(many) - without(few)) / (IMAGES - FEW);
  const fixed = without(few) - FEW * perImage;
  const short = (many.heartbeats ?? 0) / IMAGES;
  console.log(`${perImage.toFixed(2)} an image and ${fixed.toFixed(0)} a batch, heartbeats left out`);
  for (const [what, heartbeats] of [
    ['as quick as here', short],
    [`${SECONDS} s each`, slow],
  ] as const) {
    const night = fixed + NIGHT * (perImage + heartbeats);
    const dollars = (night * PRICE_OF_A_MILLION) / 1_000_000;
    console.log(
      `${NIGHT} images, ${what}: ${heartbeats.toFixed(2)} heartbeats an image, ${night.toFixed(0)} actions, $${dollars.toFixed(2)}`,
    );
  }
}
