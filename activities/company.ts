import { pause, SharedLock } from '../models/renderer/index.ts';
import { RENDER_LOST_BESIDE_OTHERS } from '../workflows/contract/limits.ts';
import { mustBeAlone } from './attempts.ts';
import type { Heartbeats } from './heartbeats.ts';

/** Longer than the SDK delays a heartbeat: after this time the server has it. */
const HEARD_MS = 2_000;

/** Images that were lost with the same worker are retried at the same time, but arrive one by one. */
const OTHERS_ARRIVE_MS = 5_000;

/**
 * The images that a worker makes at the same time: their texts, steps, pixels and files.
 *
 * An image that was lost with several workers is made alone: if it is lost again, it is the cause. Images that wait
 * behind it lose an attempt too. From then on they go first, or it could hold them up until it fails for good.
 *
 * Every loss is charged to the right image: the server learns that an image is alone before the image begins, and that
 * it is no longer alone before others begin.
 *
 * An image joins once it has what it needs from its store, and leaves before it is stored: a store may not answer for
 * hours, and images of other stores must not wait for it.
 */
export class Company {
  readonly #lock = new SharedLock();

  /**
   * Waits until an image may be made, beside others or alone.
   *
   * @returns the function to call when the image is made, or has failed
   * @throws the signal's reason
   */
  async join(heartbeats: Heartbeats, signal: AbortSignal): Promise<() => void> {
    const isAlone = mustBeAlone(heartbeats.attempts);
    const { lost } = heartbeats.attempts;
    if (lost > RENDER_LOST_BESIDE_OTHERS) await pause(OTHERS_ARRIVE_MS, signal);
    const release = await this.#lock.take(isAlone, signal, lost);
    if (!isAlone) return release;
    const leave = (): void => {
      heartbeats.setAlone(false);
      setTimeout(release, HEARD_MS);
    };
    try {
      heartbeats.setAlone(true);
      await pause(HEARD_MS, signal);
      return leave;
    } catch (error) {
      leave();
      throw error;
    }
  }
}
