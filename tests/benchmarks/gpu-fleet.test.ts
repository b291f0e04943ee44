import fc from 'fast-check';
import { expect, it } from 'vitest';
import { noResults } from '../../benchmarks/gpu/results.ts';
import { endOf, limitsOf, predicted, type Setup } from '../../benchmarks/gpu-fleet/capacity.ts';
import { type Cost, type Costs, costsOf } from '../../benchmarks/gpu-fleet/costs.ts';
import { simulated } from '../../benchmarks/gpu-fleet/fleet-model.ts';
import { fleetMachines, type Machines, oneMachine } from '../../benchmarks/gpu-fleet/machines.ts';
import { workOf } from '../../benchmarks/gpu-fleet/point.ts';
import { countsOf } from '../../benchmarks/gpu-fleet/probes.ts';
import { deviceTimes, GOALS, ratesOf, readRates, STEPS } from '../../benchmarks/gpu-fleet/rates.ts';
import type { Agenda } from '../../benchmarks/gpu-fleet/stations.ts';
import { imagesInHand } from '../../workflows/contract/limits.ts';

const rate = fc.constantFrom(...GOALS);
const upTo = (max: number): fc.Arbitrary<number> => fc.double({ min: 0, max, noNaN: true });
const cost: fc.Arbitrary<Cost> = fc.record({ server: upTo(30), worker: upTo(30), calls: upTo(8), changes: upTo(4) });
const costs: fc.Arbitrary<Costs> = fc.record({
  ...{ image: cost, heartbeat: cost, task: cost },
  callMs: upTo(10),
  ...{ orchestrator: upTo(30), thread: upTo(30), travel: upTo(30), shard: upTo(1_000) },
});
const setup: fc.Arbitrary<Setup> = fc.record({
  cores: fc.integer({ min: 1, max: 16 }),
  database: fc.oneof(fc.constant('file' as const), fc.record({ writeMs: upTo(10) })),
  orchestrators: fc.integer({ min: 1, max: 4 }),
  batches: fc.constantFrom('one', 'enough'),
});
const fleet = fc.record({
  rate,
  gpus: fc.integer({ min: 1, max: 4 }),
  images: fc.integer({ min: 1, max: 700 }),
  window: fc.integer({ min: 2, max: 1_000 }),
  batches: fc.integer({ min: 1, max: 3 }),
});
const machines = fc.oneof(
  fc.constant((agenda: Agenda, paid: Costs): Machines => oneMachine(agenda, paid, 2)),
  setup.map((made) => (agenda: Agenda, paid: Costs) => fleetMachines(agenda, paid, made)),
);

const TODAY: Setup = { cores: 2, database: 'file', orchestrators: 1, batches: 'enough' };
const FREE: Cost = { server: 0, worker: 0, calls: 0, changes: 0 };
const PAID: Costs = {
  image: { server: 6, worker: 4, calls: 2, changes: 2 },
  heartbeat: { server: 1, worker: 1, calls: 1, changes: 1 },
  task: { server: 5, worker: 0, calls: 1, changes: 2 },
  ...{ callMs: 1, orchestrator: 2, thread: 1, travel: 10, shard: 300 },
};

it('makes every image once, within the slots of a worker, and does one thing at a time on a device', () => {
  fc.assert(
    fc.property(fleet, costs, machines, ({ images, ...others }, paid, made) => {
      const { gpus } = simulated({ images, ...others }, paid, (agenda) => made(agenda, paid));
      expect(gpus.reduce((sum, gpu) => sum + gpu.images.length, 0)).toBe(images);
      for (const { images: taken, busy } of gpus) {
        const begun = (at: number): number => taken.filter(({ start, end }) => start <= at && end > at).length;
        for (const { start } of taken) expect(begun(start)).toBeLessThanOrEqual(imagesInHand(1, others.rate.together));
        for (const [i, { start }] of busy.entries()) if (i > 0) expect(start).toBeGreaterThanOrEqual(busy[i - 1]!.end);
      }
      const { decodeMs } = deviceTimes(others.rate);
      const decoded = gpus.flatMap(({ busy }) =>
        busy.filter(({ start, end }) => Math.abs(end - start - decodeMs) < 1e-6),
      );
      expect(decoded.length).toBeGreaterThanOrEqual(images);
    }),
    { numRuns: 25 },
  );
});

it('loses between none and all of the device time', () => {
  fc.assert(
    fc.property(rate, costs, fc.integer({ min: 1, max: 8 }), (input, paid, gpus) => {
      const { lost, idle } = predicted(input, gpus, paid, TODAY);
      for (const share of [lost, idle]) {
        // An image's share of a time is that of its activity, which is not all on the device.
        expect(share).toBeGreaterThan(-0.02);
        expect(share).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 20 },
  );
});

it('loses nothing if orchestration costs nothing', () => {
  const none = { callMs: 0, orchestrator: 0, thread: 0, travel: 0, shard: 0 };
  const free: Costs = { image: FREE, heartbeat: FREE, task: FREE, ...none };
  for (const input of GOALS)
    for (const gpus of [1, 7]) expect(Math.abs(predicted(input, gpus, free, TODAY).lost)).toBeLessThan(0.01);
});

/** An earlier model handled all images of a workflow task at once: the server idled meanwhile, longer with more GPUs. */
const SLOW_ORCHESTRATOR: Costs = {
  ...{ image: FREE, heartbeat: { ...FREE, server: 30 }, task: FREE },
  ...{ callMs: 0, orchestrator: 0, thread: 30, travel: 0, shard: 0 },
};
const ONE_BATCH: Setup = { cores: 2, database: 'file', orchestrators: 3, batches: 'one' };

/** Bursts of images that end together leave that much chance in a run of a few thousand images. */
const CHANCE = 0.1;

it('never makes clearly fewer images with more GPUs', () => {
  fc.assert(
    fc.property(rate, costs, setup, fc.integer({ min: 1, max: 30 }), upTo(3), (input, paid, made, gpus, more) => {
      const { perSecond } = predicted(input, Math.ceil(gpus * (1 + more)), paid, made);
      expect(perSecond).toBeGreaterThan((1 - CHANCE) * predicted(input, gpus, paid, made).perSecond);
    }),
    { numRuns: 25, seed: 1, endOnFailure: true, examples: [[GOALS[2]!, SLOW_ORCHESTRATOR, ONE_BATCH, 55, 3]] },
  );
});

it('makes no more images than any part can serve', () => {
  // Heartbeats depend on the load: without them, limits are exact.
  fc.assert(
    fc.property(rate, costs, setup, fc.integer({ min: 1, max: 60 }), (input, paid, made, gpus) => {
      const quiet = { ...paid, heartbeat: FREE };
      const { perSecond } = predicted(input, gpus, quiet, made);
      for (const limit of Object.values(limitsOf(input, quiet, made)))
        expect(perSecond).toBeLessThan((1 + CHANCE) * limit);
    }),
    { numRuns: 25, seed: 1 },
  );
});

it('ends a fleet at the last GPU before too much time is lost', () => {
  const [small] = GOALS;
  const { gpus, by } = endOf(small!, PAID, TODAY, { share: 0.05, most: 500 });
  expect(by).toBe('server');
  expect(predicted(small!, gpus!, PAID, TODAY).lost).toBeLessThanOrEqual(0.05);
  expect(predicted(small!, Math.ceil(1.3 * gpus!), PAID, TODAY).lost).toBeGreaterThan(0.05);
  expect(endOf(small!, PAID, TODAY, { share: 0.05, most: 3 }).gpus).toBeNull();
});

it('names the batch as the limit when it cannot schedule enough images', () => {
  const large: Setup = { cores: 1_000, database: { writeMs: 0.001 }, orchestrators: 100, batches: 'one' };
  const [small] = GOALS;
  const { gpus, by } = endOf(small!, PAID, large, { share: 0.05, most: 500 });
  expect(by).toBe('batch');
  expect(gpus!).toBeLessThanOrEqual(1_000 / imagesInHand(1, small!.together));
});

it('simulates devices as fast as the input says', () => {
  for (const input of GOALS) {
    const { stepMs, furtherMs, decodeMs } = deviceTimes(input);
    const of = (images: number): number => STEPS * (stepMs + furtherMs * (images - 1)) + images * decodeMs;
    expect(of(input.together)).toBeCloseTo((1_000 * input.together) / input.perSecond, 6);
    expect(of(1)).toBeLessThan(1_000 / input.alone + 1e-6);
  }
});

it('uses measured speeds, and goals for sizes that were not measured', () => {
  const results = {
    ...noResults({ device: 'a GPU', memoryBytes: 1, isToy: false }),
    items: {
      '512': {
        state: 'done' as const,
        series: { ours: [{ seconds: 4, images: 16, together: 8 }], alone: [{ seconds: 0.5, images: 1 }] },
      },
    },
  };
  expect(ratesOf(results)).toEqual([
    GOALS[0],
    { size: '512', perSecond: 4, alone: 2, together: 8 },
    GOALS[2],
    GOALS[3],
  ]);
});

it('splits what a run cost between its images, heartbeats and workflow tasks', () => {
  // Heartbeats and workflow tasks of runs at light and at full load.
  const loads = [
    ...[[0, 0.4, 0.5] as const, [0.3, 0.05, 1.4] as const, [2, 0.2, 0.6] as const],
    ...[[1.5, 0.1, 1.5] as const, [9, 0.3, 0.3] as const],
  ];
  fc.assert(
    fc.property(upTo(30), upTo(30), upTo(30), (image, heartbeat, task) => {
      const points = loads.map(([heartbeats, workflowTasks, cores]) => {
        const paid = image + heartbeat * heartbeats + task * workflowTasks;
        return {
          ...{ rate: GOALS[0]!, gpus: 1, perSecond: 1, lost: 0, idle: 0, refillMs: { median: 20, most: 20 } },
          ...{ threadMs: 1, cores, heartbeats, workflowTasks, calls: 4, shardPauseMs: 100 },
          ...{ storeMs: 3 * paid, storeCalls: paid, updates: paid },
          processorMs: { server: paid, orchestrator: 2, workers: paid },
        };
      });
      const found = costsOf(points);
      const close = (value: number) => expect.closeTo(value, 3);
      const kind = (value: number): Cost => ({
        ...{ server: close(value), worker: close(value), calls: close(value), changes: close(value) },
      });
      expect(found).toMatchObject({ image: kind(image), heartbeat: kind(heartbeat), task: kind(task) });
      expect(found).toMatchObject({ orchestrator: close(2), thread: close(1), shard: close(100) });
    }),
    { numRuns: 20 },
  );
});

it('reads rates, and says what it expected', () => {
  expect(readRates('256:20:2.5:8,2k:0.15:0.15:1')).toEqual([GOALS[0], GOALS[3]]);
  expect(() => readRates('256:20')).toThrow('such as 512:5:1.4:8, found 256:20');
});

it('computes speed, idle time and how long a slot stays free', () => {
  // One slot: images of 90 ms, 10 ms between them.
  const images = Array.from({ length: 50 }, (_, i) => ({ start: 100 * i, end: 100 * i + 90 }));
  const work = workOf({ size: '256', perSecond: 20, alone: 20, together: 1 }, [{ images, busy: images }], {
    queued: 0,
  });
  expect(work.perSecond).toBeCloseTo(10, 1);
  expect(work.lost).toBeCloseTo(0.5, 2);
  expect(work.idle).toBeCloseTo(0.1, 2);
  expect(work.refillMs).toEqual({ median: 10, most: 10 });
});

it("counts the frontend's calls and the database's time in a server's metrics", () => {
  const metrics = [
    '# TYPE service_requests counter',
    'service_requests{operation="RecordActivityTaskHeartbeat",service_name="frontend"} 3',
    'service_requests{operation="RecordActivityTaskHeartbeat",service_name="history"} 3',
    'persistence_latency_sum{operation="UpdateWorkflowExecution",service_name="history"} 0.25',
    'persistence_latency_count{operation="UpdateWorkflowExecution",service_name="history"} 7',
    'persistence_latency_count{operation="GetTasks",service_name="matching"} 2',
  ].join('\n');
  expect(countsOf(metrics)).toEqual({
    calls: { RecordActivityTaskHeartbeat: 3 },
    storeSeconds: 0.25,
    storeCalls: 9,
    updates: 7,
  });
});
