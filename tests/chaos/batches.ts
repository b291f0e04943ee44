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

export type BatchesOptions = {
  client: BatchClient;
  store: ObjectStore;
  /** Where catalogs are written. */
  folder: string;
  seed: number;
  /** Aborted, nobody waits for a server any more. */
  signal: AbortSignal;
};

/**
 * Submits batches of pictures that are not in the store yet, and waits for their ends, whatever happens to the server
 * meanwhile.
 */
export class Batches {
  readonly #options: BatchesOptions;
  readonly #random: Random;
  #batches = 0;
  #pictures = 0;

  constructor(options: BatchesOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Submits the next batch, and returns its id. */
  async submit(): Promise<string> {
    const { client, store, folder } = this.#options;
    this.#batches += 1;
    const batch = `kills-${this.#batches}`;
    const rows = Array.from({ length: this.#random.between(JOBS.least, JOBS.most) }, () => {
      this.#pictures += 1;
      return `fox number ${this.#pictures},${this.#random.between(STEPS.least, STEPS.most)}`;
    });
    const catalog = path.join(folder, `${batch}.csv`);
    await writeFile(catalog, ['prompt,steps', ...rows].join('\n'));
    const request = { catalog, store: store.url, bundle: bundleRef(await openBundle(BUNDLE)), batch };
    await this.#throughOutages(() => submitBatch(client, request)).catch((error: unknown) => {
      // The server took it and died before it could say so.
      if (!(error instanceof BatchExists)) throw error;
    });
    return batch;
  }

  /** @throws Error where the batch ends otherwise than completed */
  async completed(batch: string): Promise<void> {
    const end = await this.#throughOutages(() => batchEnd(this.#options.client, batch));
    if (end.state !== 'completed') throw new Error(`${batch}: expected it to complete, found ${JSON.stringify(end)}`);
  }

  /** Asks again for as long as the server is away. */
  async #throughOutages<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const outage = [error, error instanceof Error && error.cause].some(isGrpcServiceError);
        if (!(outage || error instanceof ServerUnreachable)) throw error;
        await sleep(LOOK_AGAIN_MS, undefined, { signal: this.#options.signal });
      }
    }
  }
}
