import { MAX_SHARD_JOBS } from '../../catalog/shards.ts';
import { imagesInHand, SHARDS_AT_ONCE } from '../../workflows/contract/limits.ts';
import type { Costs, Machines } from './machines.ts';
import { ModelGpu } from './model-gpu.ts';
import { Lane } from './model-lane.ts';
import type { GpuRecord } from './part.ts';
import { deviceTimes, type Rate } from './rates.ts';
import { Agenda } from './stations.ts';

export type ModelFleet = {
  rate: Rate;
  gpus: number;
  /** Of all batches together, which are as large as each other. */
  images: number;
  /** Of each batch. */
  window: number;
  batches: number;
};

/** Of the server's work for an image: its end with the workflow task, scheduling another one, and handing that out. */
export const SERVER_PARTS = { end: 0.5, schedule: 0.25, start: 0.25 };

/** Half a second into computing an image, then once a second; every 2.5 s while it waits (activities/heartbeats.ts). */
const heartbeatsIn = (waitedMs: number, computedMs: number): number =>
  Math.floor(waitedMs / 2_500) + (computedMs < 500 ? 0 : 1 + Math.floor((computedMs - 500) / 1_000));

/** Of an image that waits while a full call's images are computed, and is then computed with others. */
export function usualHeartbeats({ together, perSecond }: Rate): number {
  const callsMs = (1_000 * together) / perSecond;
  return heartbeatsIn(callsMs, callsMs);
}

/** Runs one or more batches from their first image to their last: what each GPU did, and how many heartbeats it sent. */
export function simulated(
  { rate, gpus, images, window, batches }: ModelFleet,
  costs: Costs,
  machines: Machines,
): { gpus: GpuRecord[]; heartbeats: number } {
  const agenda = new Agenda();
  const times = deviceTimes(rate);
  const devices = Array.from({ length: gpus }, () => new ModelGpu(agenda, times, rate.together));
  const queue = new ModelQueue(agenda, costs, machines);
  const callsMs = (1_000 * rate.together) / rate.perSecond;
  // Not all at once: workers are started one after the other, and do not keep in step.
  for (const [i, device] of devices.entries())
    agenda.at((i / gpus) * callsMs, () => queue.offer(device, imagesInHand(1, rate.together)));
  for (let batch = 0; batch < batches; batch += 1) {
    const shards = shardsOf(Math.floor((images + batch) / batches));
    const lanes = Math.min(SHARDS_AT_ONCE, shards.length);
    for (let lane = 0; lane < lanes; lane += 1) {
      const options = { shards, window: Math.floor((window + lane) / lanes), pauseMs: costs.shard };
      new Lane(agenda, options, (image) => queue.schedule(image)).next();
    }
  }
  agenda.run();
  return { gpus: devices.map(({ record }) => record), heartbeats: queue.heartbeats };
}

const shardsOf = (images: number): number[] =>
  Array.from({ length: Math.ceil(images / MAX_SHARD_JOBS) }, (_, i) =>
    Math.min(MAX_SHARD_JOBS, images - i * MAX_SHARD_JOBS),
  );

/** A task queue and what it takes to pass through it: free slots wait for images, or images for slots. */
class ModelQueue {
  heartbeats = 0;
  readonly #agenda: Agenda;
  readonly #costs: Costs;
  readonly #machines: Machines;
  readonly #slots: ModelGpu[] = [];
  readonly #images: Lane[] = [];

  constructor(agenda: Agenda, costs: Costs, machines: Machines) {
    this.#agenda = agenda;
    this.#costs = costs;
    this.#machines = machines;
  }

  /** Free slots of a GPU. */
  offer(gpu: ModelGpu, slots: number): void {
    for (let slot = 0; slot < slots; slot += 1) this.#slots.push(gpu);
    this.#match();
  }

  /** Another image of a lane. */
  schedule(lane: Lane): void {
    this.#served(lane, SERVER_PARTS.schedule, 0, () => {
      this.#images.push(lane);
      this.#match();
    });
  }

  #match(): void {
    while (this.#slots.length > 0 && this.#images.length > 0) this.#start(this.#slots.shift()!, this.#images.shift()!);
  }

  #start(gpu: ModelGpu, lane: Lane): void {
    const agenda = this.#agenda;
    this.#served(lane, SERVER_PARTS.start, 0, () =>
      agenda.at(agenda.now + this.#costs.travel, () => {
        const start = agenda.now;
        gpu.take((image) =>
          agenda.at(this.#machines.workers.serve(agenda.now, this.#costs.worker), () => {
            gpu.record.images.push({ start, end: agenda.now });
            this.#end(gpu, lane, heartbeatsIn(image.begun - image.taken, agenda.now - image.begun));
          }),
        );
      }),
    );
  }

  #end(gpu: ModelGpu, lane: Lane, heartbeats: number): void {
    const { orchestrator, orchestratorMs } = this.#machines;
    this.heartbeats += heartbeats;
    this.#served(lane, SERVER_PARTS.end, heartbeats, () => {
      this.offer(gpu, 1);
      this.#agenda.at(orchestrator.serve(this.#agenda.now, orchestratorMs), () => lane.ended());
    });
  }

  /** The server works on part of an image, then the database. */
  #served(lane: Lane, part: number, heartbeats: number, then: () => void): void {
    const { server, database } = this.#machines;
    const serverMs = part * this.#costs.server + heartbeats * this.#costs.heartbeat.server;
    const databaseMs = part * database.imageMs + heartbeats * database.heartbeatMs;
    this.#agenda.at(server.serve(this.#agenda.now, serverMs), () =>
      this.#agenda.at(database.stationOf(lane).serve(this.#agenda.now, databaseMs), then),
    );
  }
}
