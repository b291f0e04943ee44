/**
 * What a night costs on Temporal Cloud: the actions, its billed unit, of two batches on a server here, counted from their histories and from
 * the calls that reach the server, and by these of 10,000 images. Rendering is simulated: an image takes `--seconds`, in which it heartbeats.
 * `npx tsx benchmarks/temporal-actions.ts [--images 1000] [--seconds 3]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { batchEnd } from '../client/index.ts';
import { startGateway } from '../tests/client/gateway.ts';
import { BUNDLE, type Site, startSite } from '../tests/workflows/site.ts';
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

/** Dollars, of the first five million a month: docs.temporal.io/cloud/pricing, read 2026-11-30. */
const PRICE_OF_A_MILLION = 50;

/** Queries of `watch` come beside these: in a terminal one a second for the batch and one for each running shard. */
const CALLS: Record<string, string> = { RecordActivityTaskHeartbeat: 'heartbeats', QueryWorkflow: 'queries' };

const calls: Actions = {};
const stops: (() => void)[] = [];
let stepMs = 0;
const site = await startSite({
  bundle: { ...BUNDLE, sizes: ['256'], defaults: { steps: STEPS, guidance: 4 } },
  stepMs: () => stepMs,
  async through(address) {
    const gateway = await startGateway(address, (call) => {
      const kind = CALLS[call];
      if (kind !== undefined) calls[kind] = (calls[kind] ?? 0) + 1;
      return null;
    });
    stops.push(gateway.stop);
    return gateway.address;
  },
});
try {
  const few = await actionsOfBatch(site, 'few', FEW);
  const many = await actionsOfBatch(site, 'many', IMAGES);
  stepMs = (1_000 * SECONDS) / STEPS;
  const { heartbeats = 0 } = await actionsOfBatch(site, 'slow', SLOW_IMAGES);
  tell(few, many, heartbeats / SLOW_IMAGES);
} finally {
  await site.stop();
  for (const stop of stops) stop();
}

/** Submits a batch, waits for its end, and counts what it came to. */
async function actionsOfBatch({ client, submit }: Site, batch: string, images: number): Promise<Actions> {
  for (const kind of Object.keys(calls)) delete calls[kind];
  await submit(
    batch,
    Array.from({ length: images }, (_, row) => `${batch} ${row},256`),
    100,
  );
  await batchEnd(client, batch);
  // The review page's workflow goes on a little longer.
  const ofBatch = `WorkflowId STARTS_WITH ${JSON.stringify(batchWorkflowId(batch))}`;
  while ((await client.temporal.workflow.count(`${ofBatch} AND ExecutionStatus = "Running"`)).count > 0)
    await sleep(500);
  await sleep(2_000);
  const counted: Actions[] = [{ ...calls }];
  for await (const { workflowId, runId } of client.temporal.workflow.list({ query: ofBatch })) {
    const { events } = await client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
    counted.push(billedActions(events ?? []));
  }
  return sumOf(counted);
}

function tell(few: Actions, many: Actions, heartbeats: number): void {
  console.log(`actions of a batch${' '.repeat(10)}${FEW} images  ${IMAGES} images`);
  for (const kind of Object.keys({ ...few, ...many })) {
    console.log(`  ${kind.padEnd(26)}${String(few[kind] ?? 0).padStart(10)}  ${String(many[kind] ?? 0).padStart(10)}`);
  }
  const [a, b] = [totalOf(few), totalOf(many)];
  const perImage = (b - a) / (IMAGES - FEW);
  const fixed = a - FEW * perImage;
  console.log(`  ${'all'.padEnd(26)}${String(a).padStart(10)}  ${String(b).padStart(10)}`);
  console.log(`${perImage.toFixed(3)} an image and ${fixed.toFixed(0)} a batch, without heartbeats of longer images`);
  console.log(`heartbeats of an image that takes ${SECONDS} s: ${heartbeats.toFixed(2)}`);
  for (const each of [0, heartbeats]) {
    const night = fixed + NIGHT * (perImage + each);
    const dollars = (night * PRICE_OF_A_MILLION) / 1_000_000;
    console.log(
      `${NIGHT} images of ${each === 0 ? 'under a second' : `${SECONDS} s`}: ${night.toFixed(0)} actions, $${dollars.toFixed(2)}`,
    );
  }
}
