import fc from 'fast-check';
import { expect, it } from 'vitest';
import { noResults } from '../../benchmarks/gpu/results.ts';
import { endOf, limitsOf, predicted, type Setup } from '../../benchmarks/gpu-fleet/capacity.ts';
import { costsOf } from '../../benchmarks/gpu-fleet/costs.ts';
import { simulated } from '../../benchmarks/gpu-fleet/fleet-model.ts';
import {
  type Costs,
  fileDatabase,
  fleetMachines,
  largeDatabase,
  oneMachine,
} from '../../benchmarks/gpu-fleet/machines.ts';
import { workOf } from '../../benchmarks/gpu-fleet/point.ts';
import { deviceTimes, GOALS, ratesOf, readRates, STEPS } from '../../benchmarks/gpu-fleet/rates.ts';
import { countsOf } from '../../benchmarks/gpu-fleet/server-metrics.ts';
import { imagesInHand } from '../../workflows/contract/limits.ts';

const rate = fc.constantFrom(...GOALS);
const ms = fc.double({ min: 0, max: 30, noNaN: true });
const costs: fc.Arbitrary<Costs> = fc.record({
  server: ms,
  store: ms,
  changes: fc.double({ min: 1, max: 4, noNaN: true }),
  orchestrator: ms,
  thread: ms,
  worker: ms,
  heartbeat: fc.record({ server: ms, store: ms, changes: fc.constant(1) }),
  travel: ms,
  shard: fc.double({ min: 0, max: 1_000, noNaN: true }),
});
const fleet = fc.record({
  rate,
  gpus: fc.integer({ min: 1, max: 4 }),
  images: fc.integer({ min: 1, max: 700 }),
  window: fc.integer({ min: 2, max: 1_000 }),
  batches: fc.integer({ min: 1, max: 3 }),
});
const machines = (paid: Costs) =>
  fc.constantFrom(
    () => oneMachine(paid, 2),
    () => fleetMachines(paid, 2, 1, fileDatabase(paid)),
    () => fleetMachines(paid, 8, 2, largeDatabase(paid, 5)),
  );
const run = costs.chain((paid) => fc.record({ fleet, paid: fc.constant(paid), machines: machines(paid) }));

const TODAY: Setup = { cores: 2, database: 'file', orchestrators: 1, batches: 'enough' };
const PAID: Costs = {
  ...{ server: 6, store: 3, changes: 2.5, orchestrator: 2, thread: 1, worker: 4, travel: 10, shard: 300 },
  heartbeat: { server: 1, store: 0.5, changes: 1 },
};

it('makes every image once, in the slots that a worker has, and one thing at a time on a device', () => {
  fc.assert(
    fc.property(run, ({ fleet: { images, ...others }, paid, machines: made }) => {
      const { gpus } = simulated({ images, ...others }, paid, made());
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

it('keeps what a device loses between nothing and all of its time', () => {
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

it('loses nothing where orchestration costs nothing', () => {
  const free: Costs = {
    ...{ server: 0, store: 0, changes: 0, orchestrator: 0, thread: 0, worker: 0, travel: 0, shard: 0 },
    heartbeat: { server: 0, store: 0, changes: 0 },
  };
  for (const input of GOALS)
    for (const gpus of [1, 7]) expect(Math.abs(predicted(input, gpus, free, TODAY).lost)).toBeLessThan(0.01);
});

it('makes more images with more GPUs, until a part can serve no more', () => {
  // An overloaded fleet sends fewer heartbeats than the limits count.
  const paid = { ...PAID, heartbeat: { server: 0, store: 0, changes: 0 } };
  for (const input of GOALS) {
    const limits = Object.values(limitsOf(input, paid, TODAY));
    let before = 0;
    for (const gpus of [1, 2, 4, 8, 16, 32, 64]) {
      const { perSecond } = predicted(input, gpus, paid, TODAY);
      expect(perSecond).toBeGreaterThan(0.95 * before);
      for (const limit of limits) expect(perSecond).toBeLessThan(1.05 * limit);
      before = perSecond;
    }
  }
});

it('ends where the last GPU that keeps its time is followed by ones that do not', () => {
  const [small] = GOALS;
  const { gpus, by } = endOf(small!, PAID, TODAY, { share: 0.05, most: 500 });
  expect(by).toBe('server');
  expect(predicted(small!, gpus!, PAID, TODAY).lost).toBeLessThanOrEqual(0.05);
  expect(predicted(small!, Math.ceil(1.3 * gpus!), PAID, TODAY).lost).toBeGreaterThan(0.05);
  expect(endOf(small!, PAID, TODAY, { share: 0.05, most: 3 }).gpus).toBeNull();
});

it('finds the batch to end a fleet whose images cannot all be scheduled', () => {
  const large: Setup = { cores: 1_000, database: { writeMs: 0.001 }, orchestrators: 100, batches: 'one' };
  const [small] = GOALS;
  const { gpus, by } = endOf(small!, PAID, large, { share: 0.05, most: 500 });
  expect(by).toBe('batch');
  expect(gpus!).toBeLessThanOrEqual(1_000 / imagesInHand(1, small!.together));
});

it('makes devices that are as fast as the input says', () => {
  for (const input of GOALS) {
    const { stepMs, furtherMs, decodeMs } = deviceTimes(input);
    const of = (images: number): number => STEPS * (stepMs + furtherMs * (images - 1)) + images * decodeMs;
    expect(of(input.together)).toBeCloseTo((1_000 * input.together) / input.perSecond, 6);
    expect(of(1)).toBeLessThan(1_000 / input.alone + 1e-6);
  }
});

it('takes measured speeds, and goals where nothing was measured', () => {
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

it('tells what an image costs from what its heartbeats cost, whatever the load of a run', () => {
  const point = fc.record({
    heartbeats: fc.double({ min: 0, max: 12, noNaN: true }),
    cores: fc.double({ min: 0.1, max: 2, noNaN: true }),
  });
  fc.assert(
    fc.property(ms, ms, fc.array(point, { minLength: 2, maxLength: 8 }), (image, heartbeat, runs) => {
      fc.pre(
        Math.max(...runs.map(({ heartbeats }) => heartbeats)) - Math.min(...runs.map(({ heartbeats }) => heartbeats)) >
          1,
      );
      const cost = (beats: number): number => image + heartbeat * beats;
      const points = runs.map(({ heartbeats, cores }) => ({
        ...{
          rate: GOALS[0]!,
          gpus: 1,
          perSecond: 1,
          lost: 0,
          idle: 0,
          refillMs: { median: 20, most: 20 },
          threadMs: 1,
          cores,
        },
        ...{ heartbeats, workflowTasks: 1, calls: 4, storeMs: 4, storeCalls: 4, updates: 3, shardPauseMs: 100 },
        processorMs: { server: cost(heartbeats), orchestrator: 2, workers: 3 },
      }));
      const found = costsOf(points);
      expect(found.server).toBeCloseTo(image, 3);
      expect(found.heartbeat.server).toBeCloseTo(heartbeat, 3);
      expect(found).toMatchObject({
        orchestrator: expect.closeTo(2, 6),
        worker: expect.closeTo(3, 6),
        shard: expect.closeTo(100, 6),
      });
    }),
  );
});

it('reads rates, and says what it expected', () => {
  expect(readRates('256:20:2.5:8,2k:0.15:0.15:1')).toEqual([GOALS[0], GOALS[3]]);
  expect(() => readRates('256:20')).toThrow('such as 512:5:1.4:8, found 256:20');
});

it('finds speed, idle time and the wait for a slot in what GPUs did', () => {
  // One slot: images of 90 ms, 10 ms between them.
  const images = Array.from({ length: 50 }, (_, i) => ({ start: 100 * i, end: 100 * i + 90 }));
  const work = workOf({ size: '256', perSecond: 20, alone: 20, together: 1 }, [{ images, busy: images }], 0);
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
