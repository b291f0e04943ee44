import { median } from '../bench/report.ts';
import { type Interval, lengthOf, within } from '../overlap/intervals.ts';
import { type GpuRecord, ROLES, type Role, usedWithin } from './probes.ts';
import type { Rate } from './rates.ts';
import type { Run } from './rig.ts';

/** What GPUs did while each could have been busy, measured or simulated. */
export type Work = {
  /** Images a second. */
  perSecond: number;
  /** The share of images that GPUs would have made with work always at hand, and did not. */
  lost: number;
  /** The share of time in which devices had nothing to do. The rest of the loss is calls that were not full. */
  idle: number;
  /** How long a slot stays free between two images: median and 95th percentile. */
  refillMs: { median: number; most: number };
};

/** What a run showed. */
export type Point = Work & {
  rate: Rate;
  gpus: number;
  /** Processor time an image, by process. */
  processorMs: Record<Role, number>;
  /** Of the orchestrator's busiest thread. */
  threadMs: number;
  /** Cores in use by all processes. */
  cores: number;
  /** From here on: for each image, over the whole batch. */
  heartbeats: number;
  workflowTasks: number;
  calls: number;
  storeMs: number;
  storeCalls: number;
  /** Of these, changes of a workflow. */
  updates: number;
  shardPauseMs: number;
};

/** How many images start before the time that counts, and how many after it. */
type Around = { first?: number; queued: number };

/**
 * What GPUs did between their start and the end of the batch: from when each has finished an image, and the first images
 * have started, until nothing is left to schedule. Then only the queued images have yet to start.
 */
export function workOf(rate: Rate, gpus: readonly GpuRecord[], around: Around): Work {
  const window = steadyTime(gpus, around);
  const perSecond = speedWithin(
    gpus.flatMap(({ images }) => images),
    window,
  );
  const busy = gpus.reduce((sum, gpu) => sum + lengthOf(within(gpu.busy, window)), 0);
  const refills = gpus.flatMap((gpu) => refillsOf(gpu, window)).toSorted((a, b) => a - b);
  return {
    perSecond,
    lost: 1 - perSecond / (gpus.length * rate.perSecond),
    idle: 1 - busy / (gpus.length * (window.end - window.start)),
    refillMs: { median: median(refills), most: refills[Math.floor(0.95 * (refills.length - 1))]! },
  };
}

/** @throws if the run was too short for a time in which every GPU was at work */
export function pointOf(rate: Rate, { gpus, looks, counts, shardPauseMs }: Run, queued: number): Point {
  const work = workOf(rate, gpus, { queued });
  const used = usedWithin(looks, steadyTime(gpus, { queued }));
  const made = (work.perSecond * used.ms) / 1_000;
  const images = gpus.reduce((sum, gpu) => sum + gpu.images.length, 0);
  return {
    ...work,
    rate,
    gpus: gpus.length,
    processorMs: Object.fromEntries(ROLES.map((role) => [role, (1_000 * used.seconds[role]) / made])) as Record<
      Role,
      number
    >,
    threadMs: (1_000 * used.busiestThread) / made,
    cores: ROLES.reduce((sum, role) => sum + used.seconds[role], 0) / (used.ms / 1_000),
    heartbeats: (counts.calls.RecordActivityTaskHeartbeat ?? 0) / images,
    workflowTasks: (counts.calls.RespondWorkflowTaskCompleted ?? 0) / images,
    calls: Object.values(counts.calls).reduce((sum, calls) => sum + calls) / images,
    storeMs: (1_000 * counts.storeSeconds) / images,
    storeCalls: counts.storeCalls / images,
    updates: counts.updates / images,
    shardPauseMs,
  };
}

function steadyTime(gpus: readonly GpuRecord[], { first = 0, queued }: Around): Interval {
  const firstEnds = gpus.map(({ images }) => Math.min(...images.map(({ end }) => end)));
  const begins = gpus.flatMap(({ images }) => images.map(({ start }) => start)).toSorted((a, b) => a - b);
  return { start: Math.max(...firstEnds, begins[first]!), end: begins[begins.length - 1 - queued]! };
}

/**
 * Images a second in a time. An image counts by the share of its activity that is within that time: images of a call end
 * together, and a time may have few calls.
 */
function speedWithin(images: readonly Interval[], time: Interval): number {
  const made = images.reduce((sum, image) => sum + lengthOf(within([image], time)) / lengthOf([image]), 0);
  return (1_000 * made) / lengthOf([time]);
}

/** How long each slot stayed free: an image that ends frees one, and the next that starts takes it. */
function refillsOf({ images }: GpuRecord, window: Interval): number[] {
  const starts = images.map(({ start }) => start).toSorted((a, b) => a - b);
  const ends = images.map(({ end }) => end).toSorted((a, b) => a - b);
  const slots = mostAtOnce(starts, ends);
  return starts
    .slice(slots)
    .map((start, i) => ({ start, ms: start - ends[i]! }))
    .filter(({ start }) => start >= window.start)
    .map(({ ms }) => ms);
}

function mostAtOnce(starts: readonly number[], ends: readonly number[]): number {
  let [most, ended] = [0, 0];
  for (const [begun, start] of starts.entries()) {
    while (ends[ended]! <= start) ended += 1;
    most = Math.max(most, begun + 1 - ended);
  }
  return most;
}
