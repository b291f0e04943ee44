import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRenderActivities } from '../../activities/index.ts';
import { simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { type BatchClient, connect, temporalTarget } from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { openStore } from '../../store/index.ts';
import { batchWorkflowId, renderQueue } from '../../workflows/contract/queues.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { createWorkplace, objectsOf, readManifest, type Workplace } from '../e2e/workplace.ts';
import { ifThere } from '../set-up.ts';
import { changedVersion } from './changed-version.ts';

// Two versions of the product and 200 pictures: on a busy machine each takes its time.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const programs = await ifThere('Tests that need both servers are left out', () =>
  Promise.all([ensureVersion(temporal), ensureVersion(earlierTemporal)]),
);

const DEPLOYMENT = 'studio';

/** Of pictures that are not done before the test lets them. */
const LONG = 100;

/** Of the old version's batch, those that are done at once. */
const QUICK = 20;

/** The batches, and how many jobs each has: 200 in all. */
const RAMPED = ['ramp-0', 'ramp-1', 'ramp-2', 'ramp-3', 'ramp-4', 'ramp-5', 'ramp-6', 'ramp-7'];
const JOBS = new Map([['old', 100], ['new', 40], ['back', 20], ...RAMPED.map((batch) => [batch, 5] as const)]);

describe.each([
  ['the server that this product brings along', programs?.[0]],
  ['the server that earlier versions brought along', programs?.[1]],
])('with %s', (_, binary) => {
  let place: Workplace;
  let server: TemporalServer;
  let client: BatchClient;
  let startChanged: (options: string[]) => WorkerProcess;
  const workers: WorkerProcess[] = [];

  beforeAll(async () => {
    place = await createWorkplace();
    startChanged = await changedVersion(place.folder);
    server = await startTemporalServer({ ui: false, ...(binary !== undefined && { binary }) });
    client = await connect(temporalTarget({ address: server.address }));
  });

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
    await client?.close();
    await server?.stop();
    await place?.remove();
  });

  const run = (...args: string[]): Promise<Finished> =>
    runHere(args, { ...place.environment, TEMPORAL_ADDRESS: server.address });

  const ok = async (...args: string[]): Promise<string> => expectCode(0, await run(...args)).stdout;

  /** What a team gives to Temporal's own command line. A busy server of 1.29 may carry an order out and answer too late. */
  async function deployment(...args: string[]): Promise<void> {
    const command = ['worker', 'deployment', ...args, '--deployment-name', DEPLOYMENT, '--address', server.address];
    await vi.waitFor(() => promisify(execFile)(binary!, [...command, '--yes']), { timeout: 120_000, interval: 1_000 });
  }

  async function startOrchestrator(start: (options: string[]) => WorkerProcess) {
    const worker = start(['--orchestrator', '--address', server.address, '--deployment', DEPLOYMENT]);
    workers.push(worker);
    const { buildId } = (await worker.said('orchestrator ready')) as { buildId?: string };
    return { worker, buildId: buildId! };
  }

  async function submit(batch: string, stepsOf: (row: number) => number = () => 1): Promise<void> {
    const rows = Array.from(
      { length: JOBS.get(batch)! },
      (_, i) => `${batch}-${i},number ${i} of ${batch},${stepsOf(i)}`,
    );
    const catalog = await place.catalog(`${batch}.csv`, ['id,prompt,steps', ...rows].join('\n'));
    await ok('submit', catalog, '--batch', batch, '--size', '256', '--window', '8');
  }

  /** A worker without a version, whose long pictures wait until they are let. */
  async function startRenderer() {
    const rendered = { times: 0, areLongLet: false };
    const bundle = bundleRef(await openBundle(place.bundle));
    const renderer = simulatedRenderer({
      bundle,
      side: 8,
      stepMs: ({ steps }) => (steps === LONG && !rendered.areLongLet ? 2_000 : 0),
      before: () => {
        rendered.times += 1;
      },
    });
    const connection = await NativeConnection.connect({ address: server.address });
    const worker = await Worker.create({
      connection,
      taskQueue: renderQueue('256', bundle.digest),
      activities: createRenderActivities({ captions: simulatedCaptions, openStore, renderer }),
      maxConcurrentActivityTaskExecutions: 16,
      maxHeartbeatThrottleInterval: '1 second',
    });
    const running = worker.run();
    const stop = async () => {
      worker.shutdown();
      await running;
      await connection.close();
    };
    return { rendered, stop };
  }

  const saidAbout = ({ lines }: WorkerProcess, text: string) =>
    expect.poll(() => lines.some(({ msg }) => msg?.includes(text)), { timeout: 120_000 }).toBe(true);

  /** The versions that have run a batch and all that belongs to it: its shards, its page. */
  async function versionsOf(batch: string): Promise<string[]> {
    const versions = new Set<string>();
    const query = `WorkflowId STARTS_WITH '${batchWorkflowId(batch)}'`;
    for await (const { workflowId, runId } of client.temporal.workflow.list({ query })) {
      const { events } = await client.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const { workflowTaskCompletedEventAttributes: completed } of events ?? []) {
        if (completed) versions.add(completed.deploymentVersion?.buildId ?? 'none');
      }
    }
    return [...versions];
  }

  const stateOf = async (batch: string): Promise<string> =>
    (jsonLines({ code: 0, stdout: await ok('status', batch, '--json'), stderr: '' })[0] as { state: string }).state;

  test.runIf(binary)(
    'two versions of the workflows take turns under 200 jobs, each batch ends with the one that it began with, and nothing is lost or done twice',
    async () => {
      const old = await startOrchestrator((options) => new WorkerProcess(options));
      const { rendered, stop } = await startRenderer();
      onTestFinished(stop);

      // No version is current yet.
      await submit('old', (row) => (row < QUICK ? 1 : LONG));
      await saidAbout(old.worker, `To make it current: temporal worker deployment set-current-version`);
      const told = await run('status', 'old');
      expect(told.stdout + told.stderr).toContain(
        'none of their versions is current. Make one current: temporal worker',
      );
      expectCode(2, await run('doctor'));

      await deployment('set-current-version', '--build-id', old.buildId);
      await saidAbout(old.worker, 'this version is current: new batches start here');
      await expect.poll(() => rendered.times, { timeout: 120_000 }).toBeGreaterThan(QUICK);

      const changed = await startOrchestrator(startChanged);
      expect(changed.buildId).not.toBe(old.buildId);
      await saidAbout(changed.worker, `they go to ${DEPLOYMENT} ${old.buildId}`);
      await deployment('set-current-version', '--build-id', changed.buildId);
      await saidAbout(changed.worker, 'this version is current: new batches start here');
      await submit('new');

      // The old version's orchestrator is away for a while; the new one cannot take its batch, and does not try.
      await old.worker.kill('SIGTERM');
      await expect
        .poll(async () => Object.values(await run('status', 'old')).join(''), { timeout: 180_000 })
        .toContain(`it belongs to workflow version ${DEPLOYMENT} ${old.buildId}`);
      const again = await startOrchestrator((options) => new WorkerProcess(options));
      expect(again.buildId).toBe(old.buildId);

      await deployment('set-ramping-version', '--build-id', old.buildId, '--percentage', '50');
      await saidAbout(again.worker, '50 % of new batches start on this version');
      for (const batch of RAMPED) await submit(batch);

      await deployment('set-current-version', '--build-id', old.buildId);
      await saidAbout(changed.worker, `they go to ${DEPLOYMENT} ${old.buildId}`);
      await submit('back');
      expect(await stateOf('old')).toBe('rendering');
      rendered.areLongLet = true;

      for (const batch of JOBS.keys()) expectCode(0, await run('watch', batch));
      for (const [batch, jobs] of JOBS) {
        const { totals, failures } = await readManifest(place.store, batch);
        expect({ batch, totals, failures }).toMatchObject({
          totals: { jobs, rendered: jobs, reused: 0, failed: 0, extraComputations: 0 },
          failures: [],
        });
      }
      expect(await objectsOf(place.store)).toHaveLength(200);
      expect(rendered.times).toBe(200);

      // A page is made after its batch has ended.
      await sleep(1_000);
      expect(await versionsOf('old')).toEqual([old.buildId]);
      expect(await versionsOf('new')).toEqual([changed.buildId]);
      expect(await versionsOf('back')).toEqual([old.buildId]);
      const ramped = await Promise.all(RAMPED.map(versionsOf));
      expect(ramped.every(({ length }) => length === 1)).toBe(true);
      expect(new Set(ramped.flat())).toEqual(new Set([old.buildId, changed.buildId]));

      // Once its version has gone, an ended batch still tells what it came to.
      await again.worker.kill('SIGTERM');
      expect(expectCode(0, await run('watch', 'old')).stdout).toContain('100 rendered');
      expect((await run('status', 'old')).stderr).toContain('"npx pixart-batch report old" needs none');
    },
  );
});
