/**
 * How soon a change takes effect while a batch runs with thousands of jobs outstanding. Server and workers are real;
 * the renderer takes a job's time without its arithmetic. `npx tsx benchmarks/live-control.ts [--jobs 5000] [--window
 * 1000] [--slots 32]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createRenderActivities } from '../activities/index.ts';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  connect,
  controlBatch,
  submitBatch,
  temporalTarget,
} from '../client/index.ts';
import { startTemporalServer } from '../infra/dev/temporal-server.ts';
import { openStore } from '../store/index.ts';
import type { ControlChange } from '../workflows/contract/control.ts';
import { batchWorkflowId, renderQueue } from '../workflows/contract/queues.ts';
import { simulatedCaptions, simulatedRenderer } from './simulated-renderer.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000' },
    window: { type: 'string', default: '1000' },
    slots: { type: 'string', default: '32' },
  },
});
const [jobs, window, slots] = [Number(values.jobs), Number(values.window), Number(values.slots)];
const STEP_MS = 400;
const BUNDLE = {
  name: 'simulated',
  digest: '0'.repeat(64),
  sizes: ['256' as const],
  defaults: { steps: 2, guidance: 4 },
};

Runtime.install({ logger: new DefaultLogger('ERROR') });
const folder = await mkdtemp(path.join(tmpdir(), 'pixart-control-'));
const server = await startTemporalServer({ ui: false });
const client = await connect(temporalTarget({ address: server.address }));
const workflowProcess = fileURLToPath(new URL('throughput/workflow-process.ts', import.meta.url));
const workflows = fork(workflowProcess, [server.address], { execArgv: ['--import', 'tsx'] });
await once(workflows, 'message');
const connection = await NativeConnection.connect({ address: server.address });
const starts: { at: number; prompt: string }[] = [];
const before = ({ prompt }: { prompt: string }): void => void starts.push({ at: performance.now(), prompt });
const worker = await Worker.create({
  connection,
  taskQueue: renderQueue('256', BUNDLE.digest),
  activities: createRenderActivities({
    captions: simulatedCaptions,
    openStore,
    renderer: simulatedRenderer({ bundle: BUNDLE, side: 8, stepMs: () => STEP_MS, before }),
  }),
  maxConcurrentActivityTaskExecutions: slots,
  maxHeartbeatThrottleInterval: '1 second',
});
const running = worker.run();

const catalog = path.join(folder, 'catalog.csv');
await writeFile(
  catalog,
  ['prompt', ...Array.from({ length: jobs }, (_, n) => `a ${n % 2 ? 'gull' : 'crab'} ${n}`)].join('\n'),
);
const store = pathToFileURL(path.join(folder, 'out')).href;
const { batch } = await submitBatch(client, { catalog, store, bundle: BUNDLE, batch: 'controlled', window });

/** Scheduled images of all running shards. */
async function pending() {
  const shards = client.temporal.workflow.list({
    query: `WorkflowType = 'renderShard' AND ExecutionStatus = 'Running'`,
  });
  const images = [];
  for await (const { workflowId } of shards) {
    const { raw } = await client.temporal.workflow.getHandle(workflowId).describe();
    images.push(...(raw.pendingActivities ?? []).filter(({ activityType }) => activityType?.name === 'renderImage'));
  }
  return images;
}
type Pending = Awaited<ReturnType<typeof pending>>;

async function until(holds: (images: Pending) => boolean): Promise<number> {
  for (;;) {
    const images = await pending();
    if (holds(images)) return performance.now();
    await sleep(50);
  }
}

const queued = (images: Pending) => images.filter(({ state }) => state === 1);
const seconds = (from: number, to: number): string => `${(Math.max(0, to - from) / 1_000).toFixed(2)} s`;

async function measure(
  name: string,
  change: ControlChange,
  inForce: (since: number) => Promise<number>,
): Promise<void> {
  const { totals } = await batchProgress(client, batch);
  const outstanding = totals.jobs - totals.rendered;
  const called = performance.now();
  await controlBatch(client, batch, change);
  const answered = performance.now();
  const at = await inForce(called);
  console.log(
    `${name.padEnd(28)} ${outstanding} outstanding, answered after ${seconds(called, answered)}, in force after ${seconds(called, at)}`,
  );
}

/** When the last image started after a change. */
const lastStart = async (since: number, of = ''): Promise<number> => {
  await sleep(6_000);
  return starts.findLast(({ at, prompt }) => at > since && prompt.includes(of))?.at ?? since;
};
const firstStart = async (since: number): Promise<number> => {
  for (;;) {
    const first = starts.find(({ at }) => at > since);
    if (first) return first.at;
    await sleep(10);
  }
};

await until((images) => images.length >= 0.8 * Math.min(window, 1000));
await measure('pause', { kind: 'pause' }, (since) => lastStart(since));
await measure('resume', { kind: 'resume' }, firstStart);
await until((images) => images.length >= 0.8 * Math.min(window, 1000));
await measure('priority 1', { kind: 'priority', priority: 1 }, () =>
  until((images) => images.length > slots && queued(images).every(({ priority }) => priority?.priorityKey === 1)),
);
await measure(
  'cancel prompt=*gull*',
  { kind: 'cancel-rows', filter: { column: 'prompt', pattern: '*gull*' } },
  (since) => lastStart(since, 'gull'),
);
await measure(`window ${slots / 4}`, { kind: 'window', window: slots / 4 }, () =>
  until((images) => images.length <= slots / 4),
);
const called = performance.now();
await cancelBatch(client, batch);
await batchEnd(client, batch);
console.log(`${'cancel'.padEnd(28)} ended after ${seconds(called, performance.now())}`);
for await (const { workflowId } of client.temporal.workflow.list({
  query: `WorkflowId = '${batchWorkflowId(batch)}/1-0'`,
})) {
  const { historyLength, historySize } = await client.temporal.workflow.getHandle(workflowId).describe();
  console.log(`history of its first shard: ${historyLength} events, ${historySize} bytes`);
}

worker.shutdown();
await running;
await connection.close();
workflows.disconnect();
await client.close();
await server.stop();
await rm(folder, { recursive: true });
