import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchClient, connect, temporalTarget } from '../../client/index.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import { RunningCommand } from '../../tests/e2e/command-line.ts';
import type { Checkout } from './checkout.ts';
import { countOf, type Kind, secondsOfEndedChildren, type Usage, usageBelow, used } from './processes.ts';
import { histories, type Timeline } from './timeline.ts';

/** The cost of a batch from the submitter's point of view. Times are in seconds. */
export type Measured = {
  images: number;
  /** From the start of the command to its exit. */
  wall: number;
  /** The server's times, relative to the start of the command. */
  times: Timeline;
  /** Processor seconds from the start of the command to its exit, by kind of process. */
  processor: Record<Kind | 'command', number>;
  /** The share of the time from the first image's start to the last one's end in which renderers computed. */
  computing: number;
  /** Of the batch and its shards. */
  workflowTasks: number;
  events: number;
  /** File names of this batch's images. */
  pictures: string[];
};

/** `dev`, as a person starts it, once its workers are ready. */
export type Fleet = {
  store: string;
  /** Submits rows that are new to this fleet, and waits until the batch is complete. */
  batch(images: number): Promise<Measured>;
  stop(): Promise<void>;
};

/** @param folder for the server's file, logs and images */
export async function startFleet({ folder: sources }: Checkout, folder: string, more: string[]): Promise<Fleet> {
  const environment = {
    PATH: `${path.dirname(findTemporal())}${path.delimiter}${process.env.PATH}`,
    TEMPORAL_ADDRESS: '',
  };
  const command = (...args: string[]) =>
    new RunningCommand([path.join(sources, 'cli', 'bin.mjs'), ...args], environment);
  const bundle = ['--bundle', path.join(sources, 'models', 'bundles', 'pixart-icons-4-steps')];
  const dev = command('dev', '--state', folder, ...bundle, ...more);
  const address = (await dev.said(/Temporal server {2}(\S+)/))[1]!;
  for (const worker of ['orchestrator', 'render worker']) await untilReady(folder, worker);
  const client = await connect(temporalTarget({ address }));
  const store = path.join(folder, 'out');
  let batches = 0;
  return {
    store,
    async batch(images) {
      batches += 1;
      const batch = `batch-${batches}`;
      const catalog = path.join(folder, `${batch}.csv`);
      const rows = Array.from({ length: images }, (_, row) => `a red apple on a blue background ${row} of ${batches}`);
      await writeFile(catalog, ['prompt', ...rows].join('\n'));
      const before = looked(dev.pid!);
      const submit = command(
        ...['submit', catalog, '--batch', batch, '--size', '256', '--store', store, '--address', address, '--wait'],
        ...bundle,
      );
      const { code, stderr, stdout } = await submit.finished;
      const after = looked(dev.pid!);
      if (code !== 0)
        throw new Error(`expected the batch to complete, but the command exited with ${code}:\n${stderr}${stdout}`);
      return { images, ...(await resultOf(client, batch, store, before, after)) };
    },
    async stop() {
      await client.close();
      dev.signal('SIGTERM');
      await dev.finished;
    },
  };
}

type Look = { at: number; usage: Usage; ended: number };

const looked = (pid: number): Look => ({ at: Date.now(), usage: usageBelow(pid), ended: secondsOfEndedChildren() });

async function resultOf(client: BatchClient, batch: string, store: string, before: Look, after: Look) {
  const { times, workflowTasks, events } = await histories(client, batch);
  const fromStart = Object.entries(times).map(([what, at]) => [what, (at - before.at) / 1_000]);
  const rows = readFileSync(path.join(store, 'batches', batch, 'manifest.json'), 'utf8');
  const { images } = JSON.parse(rows) as { images: ManifestImage[] };
  const computed = images.map(({ timings }) => deviceMs(timings)).reduce((sum, ms) => sum + ms, 0);
  const rendering = times.lastImage - times.firstImage;
  return {
    wall: (after.at - before.at) / 1_000,
    times: Object.fromEntries(fromStart) as Timeline,
    processor: { ...used(before.usage, after.usage), command: after.ended - before.ended },
    computing: computed / (rendering * countOf(after.usage, 'renderers')),
    workflowTasks,
    events,
    pictures: images.map(({ copy }) => copy),
  };
}

type ManifestImage = { copy: string; timings: Record<string, number> };

/** Earlier versions have another name for the time to encode text. */
const deviceMs = ({ textEncodeMs, encodeMs, denoiseMs = 0, decodeMs = 0 }: Record<string, number>): number =>
  (textEncodeMs ?? encodeMs ?? 0) + denoiseMs + decodeMs;

async function untilReady(folder: string, worker: string): Promise<void> {
  const log = path.join(folder, 'logs', `${worker.replaceAll(' ', '-')}.log`);
  while (!readIfThere(log).includes(`${worker} ready`)) await sleep(100);
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
