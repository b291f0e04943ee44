import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isGrpcServiceError } from '@temporalio/client';
import { type BatchClient, BatchExists, batchEnd, ServerUnreachable, submitBatch } from '../../client/index.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import type { ObjectStore } from '../../store/index.ts';

import { type Random, seededRandom } from './random.ts';
import { BUNDLE } from './simulated-children.ts';

const JOBS = { least: 6, most: 24 };
/** From a quarter of a second to three times the time after which a computation is told (decision 071). */
const STEPS = { least: 10, most: 60 };
const LOOK_AGAIN_MS = 250;

/** Submits batches of pictures that are not in the store yet, and waits for their ends, whatever happens to the server meanwhile. */
export class Batches {
  readonly #client: BatchClient;
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #random: Random;
  #batches = 0;
  #pictures = 0;

  constructor(client: BatchClient, store: ObjectStore, folder: string, seed: number) {
    this.#client = client;
    this.#store = store;
    this.#folder = folder;
    this.#random = seededRandom(seed);
  }

  /** Submits the next batch, and returns its id. */
  async submit(): Promise<string> {
    this.#batches += 1;
    const batch = `kills-${this.#batches}`;
    const rows = Array.from({ length: this.#random.between(JOBS.least, JOBS.most) }, () => {
      this.#pictures += 1;
      return `fox number ${this.#pictures},${this.#random.between(STEPS.least, STEPS.most)}`;
    });
    const catalog = path.join(this.#folder, `${batch}.csv`);
    await writeFile(catalog, ['prompt,steps', ...rows].join('\n'));
    const request = { catalog, store: this.#store.url, bundle: bundleRef(await openBundle(BUNDLE)), batch };
    await throughOutages(() => submitBatch(this.#client, request)).catch((error: unknown) => {
      // The server took it and died before it could say so.
      if (!(error instanceof BatchExists)) throw error;
    });
    return batch;
  }

  /** @throws Error where the batch ends otherwise than completed */
  async completed(batch: string): Promise<void> {
    const end = await throughOutages(() => batchEnd(this.#client, batch));
    if (end.state !== 'completed') throw new Error(`${batch}: expected it to complete, found ${JSON.stringify(end)}`);
  }
}

/** Asks again for as long as the server is away. */
async function throughOutages<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const outage = [error, error instanceof Error && error.cause].some(isGrpcServiceError);
      if (!(outage || error instanceof ServerUnreachable)) throw error;
      await sleep(LOOK_AGAIN_MS);
    }
  }
}
