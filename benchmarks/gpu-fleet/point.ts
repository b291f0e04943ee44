import { median } from '../bench/report.ts';
import { type Interval, lengthOf, within } from '../overlap/intervals.ts';
import { ROLES, type Role, usedWithin } from './looks.ts';
import type { GpuRecord } from './part.ts';
import type { Rate } from './rates.ts';
import type { Run } from './rig.ts';

/** What GPUs did while each could have been busy, measured or simulated. */
export type Work = {
  /** Images a second. */
  perSecond: number;
  /** Of the images that the GPUs would have made if work had always been at hand, the share that they did not make. */
  lost: number;
  /** The share of time in which devices had nothing to do; the rest of what is lost went into calls that were not full. */
  idle: number;
  /** From the end of an image's activity to the start of the one that takes its slot: median and 95th percentile. */
  refillMs: { median: number; most: number };
};

/** What a run showed besides. */
export type Point = Work & {
  rate: Rate;
  gpus: number;
  /** Processor time an image, by process. */
  processorMs: Record<Role, number>;
  /** Of the busiest of the orchestrator's threads. */
  threadMs: number;
  /** Cores in use by all processes. */
  cores: number;
  /** Of an image, over the whole batch. */
  heartbeats: number;
  workflowTasks: number;
  calls: number;
  storeMs: number;
  storeCalls: number;
  /** Of them, changes of a workflow. */
  updates: number;
  shardPauseMs: number;
};

/**
 * From when every GPU has finished an image until nothing is left to schedule, which is when the last image is taken but
 * those that are queued.
 */
export function workOf(rate: Rate, gpus: readonly GpuRecord[], queued: number): Work {
  const window = steadyTime(gpus, queued);
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
  const work = workOf(rate, gpus, queued);
  const used = usedWithin(looks, steadyTime(gpus, queued));
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

function steadyTime(gpus: readonly GpuRecord[], queued: number): Interval {
  const firstEnds = gpus.map(({ images }) => Math.min(...images.map(({ end }) => end)));
  const begins = gpus.flatMap(({ images }) => images.map(({ start }) => start)).toSorted((a, b) => a - b);
  return { start: Math.max(...firstEnds), end: begins[begins.length - 1 - queued]! };
}

/**
 * Images a second in a time: of each image, the share of its activity that is within that time. Ends alone would not
 * do, since images of a call end together, and a time may have few calls.
 */
function speedWithin(images: readonly Interval[], time: Interval): number {
  const made = images.reduce((sum, image) => sum + lengthOf(within([image], time)) / lengthOf([image]), 0);
  return (1_000 * made) / lengthOf([time]);
}

/** An image that ends frees a slot, and the next one that starts there takes it. */
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
