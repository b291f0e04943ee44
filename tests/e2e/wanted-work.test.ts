import getPort from 'get-port';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { batchEnd, batchProgress, cancelBatch, controlBatch } from '../../client/index.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { QUEUE_TYPE } from '../../workflows/contract/pollers.ts';
import { batchWorkflowId, encodeQueue, renderQueue } from '../../workflows/contract/queues.ts';
import { type Fleet, startFleet, untilComputing } from './fleet.ts';
import { WorkerProcess } from './worker-process.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** Long enough to be found in hand, on any machine. */
const STEPS = 100;

let fleet: Fleet;
/** Two orchestrators, as a deployment has, and where they answer. */
let replicas: { process: WorkerProcess; url: string }[];
let images: string;
let texts: string;

beforeAll(async () => {
  // For a minute and a half after its end, pictures would wait for one that encodes.
  fleet = await startFleet(['--without-text-encoder']);
  await Promise.all([fleet.renderer.kill('SIGTERM'), fleet.orchestrator.kill('SIGTERM')]);
  const { digest, encoder } = bundleRef(await openBundle(fleet.bundleFolder));
  images = renderQueue('512', digest);
  texts = encodeQueue(encoder!);
  replicas = await Promise.all([startReplica(), startReplica()]);
});

afterAll(async () => {
  await Promise.all(replicas.map(({ process }) => process.kill('SIGKILL')));
  await fleet.stop();
});

async function startReplica() {
  const address = `127.0.0.1:${await getPort()}`;
  const options = ['--orchestrator', '--address', fleet.server.address, '--http-address', address];
  const process = new WorkerProcess(options);
  await process.said('orchestrator ready');
  return { process, url: `http://${address}` };
}

async function ask(path: string, { url } = replicas[0]!): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path);
  return { status: response.status, body: await response.json() };
}

/** What each replica says of the queue, as KEDA's `metrics-api` scaler reads it. */
const wanted = (queue: string): Promise<unknown[]> =>
  Promise.all(
    replicas.map(async (replica) => {
      const { status, body } = await ask(`/wanted/${queue}`, replica);
      return status === 200 ? (body as { wanted: number }).wanted : status;
    }),
  );

const bothSay = (count: number): [number, number] => [count, count];

async function expectWanted(counts: { images: number; texts: number }): Promise<void> {
  await expect
    .poll(async () => [await wanted(images), await wanted(texts)])
    .toEqual([bothSay(counts.images), bothSay(counts.texts)]);
}

/** The number that KEDA's `temporal` scaler goes by. */
async function backlog(): Promise<number> {
  const { stats } = await fleet.client.temporal.workflowService.describeTaskQueue({
    namespace: fleet.client.namespace,
    taskQueue: { name: images },
    taskQueueType: QUEUE_TYPE.activity,
    reportStats: true,
  });
  return Number(stats?.approximateBacklogCount ?? 0);
}

/** Submits pictures, and sees to it that the next test finds nothing of them. */
async function submit(pictures: number): Promise<string> {
  const batch = await fleet.submit(Array<number>(pictures).fill(STEPS), '512');
  onTestFinished(() => settle(batch));
  return batch;
}

async function settle(batch: string): Promise<void> {
  await cancelBatch(fleet.client, batch).catch(() => {});
  await batchEnd(fleet.client, batch);
}

test('a paused batch wants no worker, not for the text that it leaves in the queue either; resumed it wants what it did', async () => {
  const batch = await submit(3);
  await expectWanted({ images: 3, texts: 1 });
  await controlBatch(fleet.client, batch, { kind: 'pause' });
  await expectWanted({ images: 0, texts: 0 });
  console.log(`backlog of the paused batch: ${await backlog()}`);
  await controlBatch(fleet.client, batch, { kind: 'resume' });
  await expectWanted({ images: 3, texts: 1 });
  console.log(`backlog of its three images, resumed: ${await backlog()}`);
});

test('a cancelled batch wants no worker', async () => {
  const batch = await submit(2);
  await expectWanted({ images: 2, texts: 1 });
  await settle(batch);
  await expectWanted({ images: 0, texts: 0 });
  console.log(`backlog after it was cancelled: ${await backlog()}`);
});

test('a server that is killed and started again has the same work, and meanwhile nobody says that there is none', async () => {
  await submit(4);
  await expectWanted({ images: 4, texts: 1 });
  process.kill(fleet.server.pid, 'SIGKILL');
  await expect.poll(() => wanted(images), { timeout: 60_000 }).toEqual([503, 503]);
  await fleet.restartServer();
  await expect.poll(async () => (await wanted(images)).includes(503)).toBe(false);
  expect(await wanted(images)).toEqual(bothSay(4));
  expect(await wanted(texts)).toEqual(bothSay(1));
  console.log(`backlog of four images, after a restart: ${await backlog()}`);
});

test('an image that somebody paused in Temporal waits for that person, not for a worker', async () => {
  const batch = await submit(2);
  await expectWanted({ images: 2, texts: 1 });
  const shard = fleet.client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`);
  const { raw } = await shard.describe();
  const { activityId = '' } = raw.pendingActivities!.find(({ activityType }) => activityType?.name === 'renderImage')!;
  await fleet.client.temporal.workflowService.pauseActivity({
    namespace: fleet.client.namespace,
    execution: { workflowId: shard.workflowId },
    id: activityId,
    identity: 'somebody',
  });
  await expectWanted({ images: 1, texts: 1 });
});

test('the last image in hand is wanted until it is done, also when its batch is paused meanwhile', async () => {
  await fleet.startRenderer();
  const batch = await submit(1);
  await untilComputing(fleet.client, batch);
  await expectWanted({ images: 1, texts: 0 });
  console.log(`backlog with the last image in hand: ${await backlog()}`);
  await controlBatch(fleet.client, batch, { kind: 'pause' });
  await expect.poll(async () => (await batchProgress(fleet.client, batch)).state).toBe('paused');
  await untilComputing(fleet.client, batch);
  expect(await wanted(images)).toEqual(bothSay(1));
  // As long as the image takes.
  await expect.poll(() => wanted(images), { timeout: 200_000 }).toEqual(bothSay(0));
  expect((await batchProgress(fleet.client, batch)).totals.rendered).toBe(1);
});

test('all queues are listed together, a queue that cannot be is told from one without work, and a worker says whether it is ready', async () => {
  expect(await ask('/wanted')).toEqual({ status: 200, body: { queues: {} } });
  expect(await ask('/wanted/render-640-0123456789ab')).toMatchObject({ status: 404 });
  expect(await ask('/wanted/render-256-0123456789ab')).toEqual({ status: 200, body: { wanted: 0 } });
  expect(await ask('/health')).toEqual({ status: 200, body: { ready: true, state: 'ready' } });
  expect(await ask('/')).toMatchObject({ status: 404 });
});
