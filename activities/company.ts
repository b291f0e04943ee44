import { pause, SharedLock } from '../models/renderer/index.ts';
import { RENDER_LOST_BESIDE_OTHERS } from '../workflows/contract/limits.ts';
import { mustBeAlone } from './attempts.ts';
import type { Heartbeats } from './heartbeats.ts';

/** Longer than the SDK holds a heartbeat back: the server has it then. */
const HEARD_MS = 2_000;

/** Images that were lost with the same worker are tried again at the same time, but arrive one by one. */
const OTHERS_ARRIVE_MS = 5_000;

/**
 * The images that a worker makes at the same time: their texts, steps, pixels and files. An image that was lost with
 * several workers is made alone. If it is lost again, it is the reason. Those that wait behind it lose an attempt too, and
 * from then on they go before it: otherwise it could keep them from being made until it is given up. So that every loss is
 * charged to the right image, the server knows that it is alone before it begins, and that it is not any more before
 * others begin. An image joins when it has what it needs from its store, and leaves before it is stored: a store may
 * answer nothing for hours, and images of other stores would wait for it.
 */
export class Company {
  readonly #lock = new SharedLock();

  /**
   * Waits until an image may be made, beside others or alone.
   *
   * @returns the function that leaves again
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
