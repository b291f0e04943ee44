import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@temporalio/common';
import type { Job } from '../domain/job.ts';
import type { ObjectSeal } from '../encryption/object-seal.ts';
import {
  type CheckpointOwner,
  decodeCheckpoint,
  encodeCheckpoint,
  LARGEST_CHECKPOINT_BYTES,
  type SamplerState,
} from '../models/pixart/index.ts';
import { checkpointName } from '../records/layout.ts';
import { readIfThere } from '../store/index.ts';
import type { Scratch } from './scratch.ts';

/** An image that is handed back waits this long for its checkpoint to be stored. */
const LAST_WRITE_MS = 5_000;

type CheckpointOptions = {
  scratch: Scratch;
  job: Pick<Job, 'renderKey' | 'steps'>;
  bundleDigest: string;
  /** Whether an earlier attempt or round may have left one; only then is it looked for. */
  begunBefore: boolean;
  seal: ObjectSeal;
  log: Pick<Logger, 'info' | 'warn'>;
};

/**
 * How far one picture was denoised, in scratch space, so that another attempt can resume there.
 * It only saves time: errors here are logged, and the image is rendered without a checkpoint.
 */
export class Checkpoint {
  readonly #scratch: Scratch;
  readonly #name: string;
  readonly #owner: CheckpointOwner;
  readonly #seal: ObjectSeal;
  readonly #log: CheckpointOptions['log'];
  #mayBeThere: boolean;
  #latest: SamplerState | undefined;
  #writing: Promise<void> | undefined;

  constructor({ scratch, job, bundleDigest, begunBefore, seal, log }: CheckpointOptions) {
    this.#scratch = scratch;
    this.#name = checkpointName(job.renderKey);
    this.#owner = { renderKey: job.renderKey, bundleDigest, steps: job.steps };
    this.#mayBeThere = begunBefore;
    this.#seal = seal;
    this.#log = log;
  }

  /** The state to resume from; undefined if there is none, or it cannot be trusted. */
  async find(): Promise<SamplerState | undefined> {
    if (!this.#mayBeThere) return undefined;
    const bytes = await this.#attempt('read', () => this.#read());
    if (!bytes) return undefined;
    const opened = this.#seal.open(bytes, this.#name);
    const found = typeof opened === 'string' ? opened : decodeCheckpoint(this.#owner, opened);
    if (typeof found === 'string') {
      this.#log.warn('checkpoint ignored', { checkpoint: this.#name, reason: found });
      return undefined;
    }
    this.#log.info('resuming from a checkpoint', { step: found.step, steps: this.#owner.steps });
    return found;
  }

  /** Stores a state in the background. While one is being written, the next one waits, and a later one replaces it. */
  save(state: SamplerState): void {
    if (!this.#scratch.isUsable) return;
    this.#mayBeThere = true;
    this.#latest = state;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Waits until what was saved is stored, for some seconds at most. */
  async saved(): Promise<void> {
    if (this.#writing) await Promise.race([this.#writing, sleep(LAST_WRITE_MS, undefined, { ref: false })]);
  }

  /** The picture is stored: the checkpoint is no longer needed. */
  async remove(): Promise<void> {
    if (!this.#mayBeThere) return;
    await this.saved();
    await this.#remove();
  }

  /**
   * The attempt failed. Another one may have made the picture while this machine was cut off: then what was kept here, or is
   * on its way to the store, is nobody's any more.
   */
  async leave(isMade: () => Promise<boolean>): Promise<void> {
    if (!this.#mayBeThere) return;
    await this.#writing;
    if (await this.#attempt('judge', isMade)) await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.#attempt('remove', async () => (await this.#scratch.open()).remove(this.#name));
  }

  async #read(): Promise<Uint8Array | null> {
    return readIfThere(await this.#scratch.open(), this.#name);
  }

  async #writeAll(): Promise<void> {
    while (this.#latest) {
      const state = this.#latest;
      this.#latest = undefined;
      await this.#attempt('write', () => this.#write(state));
    }
  }

  async #write(state: SamplerState): Promise<void> {
    const began = performance.now();
    const bytes = encodeCheckpoint(this.#owner, state);
    if (bytes.length > LARGEST_CHECKPOINT_BYTES)
      throw new Error(`${bytes.length} bytes are more than a checkpoint may have`);
    const store = await this.#scratch.open();
    await store.replace(this.#name, this.#seal.close(bytes, this.#name), 'application/octet-stream');
    const ms = Math.round(performance.now() - began);
    this.#log.info('checkpoint kept', { step: state.step, steps: this.#owner.steps, bytes: bytes.length, ms });
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (this.#scratch.isKeeping(error, this.#log)) return undefined;
      this.#log.warn(`checkpoint: could not ${what} it`, { checkpoint: this.#name, error });
      return undefined;
    }
  }
}
