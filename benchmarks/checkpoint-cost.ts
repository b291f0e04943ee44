/**
 * What one checkpoint costs at 2K and 4K: the pause of the child, which hands over its state, and the work of its parent,
 * which encodes and stores it while the child runs its next step.
 *
 *   npx tsx benchmarks/checkpoint-cost.ts [store, such as /mnt/team or gs://bucket/prefix; default: a temporary folder]
 */
import { fork } from 'node:child_process';
import { on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeCheckpoint, encodeCheckpoint, type SamplerState } from '../models/pixart/index.ts';
import { randomNormal } from '../models/pixart/noise.ts';
import { checkpointName } from '../records/layout.ts';
import { type ObjectStore, openStore, storeUrl } from '../store/index.ts';

const RUNS = 20;
const CHANNELS = 4;
const VAE_FACTOR = 8;
const SIZES = { '2k': [2048, 2048], '4k': [2160, 3840] } as const;
const owner = { renderKey: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), steps: 20 };

type Sent = { state: SamplerState } | { pausesMs: number[] };

/** Like the renderer's child: the next step begins when the message has been sent. */
async function sendStates(count: number): Promise<void> {
  const state: SamplerState = { step: 10, arrays: [randomNormal(count, 1), randomNormal(count, 2)] };
  const send = (message: Sent): Promise<void> => new Promise((sent) => process.send!(message, () => sent()));
  const pausesMs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    await send({ state });
    pausesMs.push(performance.now() - began);
  }
  await send({ pausesMs });
}

async function measure(store: ObjectStore, count: number): Promise<Record<string, number>> {
  const child = fork(fileURLToPath(import.meta.url), ['child', String(count)], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
  });
  let last: SamplerState | undefined;
  for await (const [message] of on(child, 'message') as AsyncIterable<[Sent]>) {
    if ('state' in message) last = message.state;
    else return { pause: median(message.pausesMs), ...(await storing(store, last!)) };
  }
  throw new Error('the child exited early');
}

async function storing(store: ObjectStore, state: SamplerState): Promise<Record<string, number>> {
  const name = checkpointName(owner.renderKey);
  const times = { encode: [] as number[], write: [] as number[], read: [] as number[] };
  let bytes = 0;
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now();
    const encoded = encodeCheckpoint(owner, state);
    const written = performance.now();
    await store.replace(name, encoded, 'application/octet-stream');
    const reading = performance.now();
    if (typeof decodeCheckpoint(owner, await store.read(name)) === 'string')
      throw new Error('the checkpoint could not be read back');
    times.encode.push(written - began);
    times.write.push(reading - written);
    times.read.push(performance.now() - reading);
    bytes = encoded.length;
  }
  await store.remove(name);
  return { encode: median(times.encode), write: median(times.write), read: median(times.read), bytes };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-checkpoint-'));
  const store = await openStore(storeUrl(process.argv[2] ?? folder));
  console.log('size      bytes  pause of the child  encode  write  read and check   (ms, median of 20)');
  for (const [size, [height, width]] of Object.entries(SIZES)) {
    const count = (CHANNELS * height * width) / VAE_FACTOR ** 2;
    const found = await measure(store, count);
    const ms = (name: string, room: number) => found[name]!.toFixed(1).padStart(room);
    const bytes = found.bytes!.toLocaleString('en').padStart(12);
    console.log(`${size}${bytes}${ms('pause', 20)}${ms('encode', 8)}${ms('write', 7)}${ms('read', 16)}`);
  }
  await rm(folder, { recursive: true });
}

if (process.argv[2] === 'child') {
  await sendStates(Number(process.argv[3]));
  process.disconnect();
} else await main();
