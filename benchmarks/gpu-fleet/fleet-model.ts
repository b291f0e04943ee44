import { MAX_SHARD_JOBS } from '../../catalog/shards.ts';
import { imagesInHand, SHARDS_AT_ONCE } from '../../workflows/contract/limits.ts';
import type { Cost, Costs } from './costs.ts';
import type { Machines, WorkKind } from './machines.ts';
import { ModelGpu } from './model-gpu.ts';
import type { GpuRecord } from './probes.ts';
import { deviceTimes, type Rate } from './rates.ts';
import { Agenda, Station } from './stations.ts';

export type ModelFleet = {
  rate: Rate;
  gpus: number;
  /** Of all batches together. Batches are the same size. */
  images: number;
  /** Of each batch. */
  window: number;
  batches: number;
};

/** What each GPU did, and how many heartbeats and workflow tasks there were. */
export type ModelRun = { gpus: GpuRecord[]; heartbeats: number; tasks: number };

/** The server's work for an image is half at its start and half at its end. A workflow task schedules it. */
export const START_SHARE = 0.5;

/** Half a second into computing an image, then once a second; every 2.5 s while it waits (activities/heartbeats.ts). */
const heartbeatsIn = (waitedMs: number, computedMs: number): number =>
  Math.floor(waitedMs / 2_500) + (computedMs < 500 ? 0 : 1 + Math.floor((computedMs - 500) / 1_000));

/** Of an image that waits while a full call is computed, and is then part of the next one. */
export function usualHeartbeats({ together, perSecond }: Rate): number {
  const callsMs = (1_000 * together) / perSecond;
  return heartbeatsIn(callsMs, callsMs);
}

/** Runs one or more batches from their first image to their last. All workers are waiting when they start. */
export function simulated(
  { rate, gpus, images, window, batches }: ModelFleet,
  costs: Costs,
  machinesOf: (agenda: Agenda) => Machines,
): ModelRun {
  const agenda = new Agenda();
  const queue = new ModelQueue(agenda, costs, machinesOf(agenda));
  const times = deviceTimes(rate);
  const devices = Array.from({ length: gpus }, () => new ModelGpu(agenda, times, rate.together));
  for (const device of devices) queue.offer(device, imagesInHand(1, rate.together));
  for (let batch = 0; batch < batches; batch += 1) {
    const shards = shardsOf(Math.floor((images + batch) / batches));
    const lanes = Math.min(SHARDS_AT_ONCE, shards.length);
    for (let lane = 0; lane < lanes; lane += 1) {
      const options = { shards, window: Math.floor((window + lane) / lanes), pauseMs: costs.shard };
      new Lane(agenda, options, queue).next();
    }
  }
  agenda.run();
  return { gpus: devices.map(({ record }) => record), heartbeats: queue.heartbeats, tasks: queue.tasks };
}

const shardsOf = (images: number): number[] =>
  Array.from({ length: Math.ceil(images / MAX_SHARD_JOBS) }, (_, i) =>
    Math.min(MAX_SHARD_JOBS, images - i * MAX_SHARD_JOBS),
  );

type LaneOptions = { /** Of the batch, shared by its lanes. */ shards: number[]; window: number; pauseMs: number };

/** Works through one shard of a batch after another, and keeps up to a window of images scheduled. */
class Lane {
  /** Writes to the shard's workflow, which the database makes one at a time. */
  readonly changes: Station;
  readonly #agenda: Agenda;
  readonly #options: LaneOptions;
  readonly #queue: ModelQueue;
  #waiting = 0;
  #scheduled = 0;
  #ended = 0;
  #isInTask = false;

  constructor(agenda: Agenda, options: LaneOptions, queue: ModelQueue) {
    this.changes = new Station(agenda, 1);
    this.#agenda = agenda;
    this.#options = options;
    this.#queue = queue;
  }

  next(): void {
    this.#waiting = this.#options.shards.shift() ?? 0;
    this.#fill();
  }

  imageEnded(): void {
    this.#ended += 1;
    if (!this.#isInTask) this.#runTask();
  }

  /** A workflow task for all images that have ended. Those that end while it runs share the next one. */
  #runTask(): void {
    const images = this.#ended;
    this.#ended = 0;
    this.#isInTask = images > 0;
    if (!this.#isInTask) return;
    let left = images;
    this.#queue.runTask(this, images, () => {
      left -= 1;
      this.#scheduled -= 1;
      this.#fill();
      if (this.#scheduled === 0) this.#agenda.after(this.#options.pauseMs, () => this.next());
      if (left === 0) this.#runTask();
    });
  }

  #fill(): void {
    for (; this.#waiting > 0 && this.#scheduled < this.#options.window; this.#waiting -= 1) {
      this.#scheduled += 1;
      this.#queue.schedule(this);
    }
  }
}

/** A number of equal things for each owner. Owners take turns: GPUs poll in no order, and batches run side by side. */
class Turns<Owner> {
  readonly #counts = new Map<Owner, number>();

  get isEmpty(): boolean {
    return this.#counts.size === 0;
  }

  add(owner: Owner, count: number): void {
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + count);
  }

  /** One of the owner whose turn it is. There has to be one. */
  take(): Owner {
    const [owner, count] = this.#counts.entries().next().value!;
    this.#counts.delete(owner);
    if (count > 1) this.#counts.set(owner, count - 1);
    return owner;
  }
}

/** A task queue and an image's way through it: free slots wait for images, or images for slots. */
class ModelQueue {
  heartbeats = 0;
  tasks = 0;
  readonly #agenda: Agenda;
  readonly #costs: Costs;
  readonly #machines: Machines;
  readonly #slots = new Turns<ModelGpu>();
  readonly #images = new Turns<Lane>();

  constructor(agenda: Agenda, costs: Costs, machines: Machines) {
    this.#agenda = agenda;
    this.#costs = costs;
    this.#machines = machines;
  }

  /** Free slots of a GPU. */
  offer(gpu: ModelGpu, slots: number): void {
    this.#slots.add(gpu, slots);
    this.#match();
  }

  /** Another image of a lane. */
  schedule(lane: Lane): void {
    this.#images.add(lane, 1);
    this.#match();
  }

  runTask(lane: Lane, images: number, then: () => void): void {
    const { orchestrator, orchestratorMs } = this.#machines;
    this.tasks += 1;
    this.#served(lane, 'task', this.#costs.task, 1, () => {
      for (let i = 0; i < images; i += 1) orchestrator.serve('orchestrator', orchestratorMs, then);
    });
  }

  #match(): void {
    while (!this.#slots.isEmpty && !this.#images.isEmpty) this.#start(this.#slots.take(), this.#images.take());
  }

  #start(gpu: ModelGpu, lane: Lane): void {
    const { image, heartbeat, travel } = this.#costs;
    this.#served(lane, 'start', image, START_SHARE, () =>
      this.#agenda.after(travel, () => {
        const start = this.#agenda.now;
        gpu.take(({ taken, begun }) => {
          // Until it is decoded. Counting waits for a core as well, heartbeats and load would drive each other up.
          const heartbeats = heartbeatsIn(begun - taken, this.#agenda.now - begun);
          this.#machines.workers.serve('workers', image.worker + heartbeats * heartbeat.worker, () => {
            gpu.record.images.push({ start, end: this.#agenda.now });
            this.#end(gpu, lane, heartbeats);
          });
        });
      }),
    );
  }

  #end(gpu: ModelGpu, lane: Lane, heartbeats: number): void {
    const { image, heartbeat } = this.#costs;
    this.heartbeats += heartbeats;
    this.#served(lane, 'heartbeat', heartbeat, heartbeats, () =>
      this.#served(lane, 'end', image, 1 - START_SHARE, () => {
        this.offer(gpu, 1);
        lane.imageEnded();
      }),
    );
  }

  /** The server works on something, then its database does. */
  #served(lane: Lane, kind: WorkKind, cost: Cost, times: number, then: () => void): void {
    this.#machines.server.serve('server', times * cost.server, () =>
      this.#machines.database(kind, { calls: times * cost.calls, changes: times * cost.changes }, lane.changes, then),
    );
  }
}
