import { setImmediate as turn } from 'node:timers/promises';
import type { Graph } from './session.ts';
import { type Bin, BinTurns, type Waiting } from './step-bins.ts';
import {
  type JoinFixed,
  joinCaptions,
  joinMoving,
  rememberingJoined,
  type StepInputs,
  splitRows,
} from './step-inputs.ts';

/** One image's place among those that share calls. It has to ask, rest or leave soon after it entered and after each prediction. */
export type StepPlace = {
  /**
   * What the transformer predicts, a row for each caption; undefined where the signal was aborted before the call began,
   * or before the image's own call after one that it shared had failed.
   *
   * @throws what the call failed with for this image alone
   */
  predict(inputs: StepInputs, signal?: AbortSignal): Promise<Float32Array[] | undefined>;
  /** The image does something that takes time: nobody waits for it until it asks again. */
  rest(): void;
  leave(): void;
  /** The most images that have shared a call with this one, itself included. */
  readonly together: number;
};

/** Which images may share calls. */
export type StepBin = {
  /** Shared by those of one shape. */
  name: string | symbol;
  /** Images in a call. */
  most: number;
};

/**
 * Runs the denoising steps of several images on one transformer. Each image has its own loop and asks for one
 * prediction at a time; those of one bin that ask at the same time share a call, and join and leave between calls. A
 * shared call that fails is repeated image by image, so that each gets its own result or its own error
 * (docs/decisions/141).
 */
export class StepBatcher {
  readonly #transformer: Pick<Graph, 'run'>;
  readonly #join: JoinFixed;
  readonly #bins = new BinTurns();
  #isBusy = false;

  constructor(transformer: Pick<Graph, 'run'>, join = joinCaptions) {
    this.#transformer = transformer;
    this.#join = rememberingJoined(join);
  }

  enter({ name, most }: StepBin): StepPlace {
    const bin = this.#bins.of(name, most);
    bin.images += 1;
    bin.awaited += 1;
    let isAwaited = true;
    let together = 1;
    const become = (awaited: boolean): void => {
      bin.awaited += Number(awaited) - Number(isAwaited);
      isAwaited = awaited;
      this.#serve();
    };
    return {
      predict: (inputs, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return resolve(undefined);
          const giveUp = (): void => {
            const place = bin.waiting.indexOf(asking);
            // Its call has begun.
            if (place < 0) return;
            bin.waiting.splice(place, 1);
            settle(() => resolve(undefined));
          };
          const settle = (answer: () => void): void => {
            signal?.removeEventListener('abort', giveUp);
            answer();
            become(true);
          };
          const asking: Waiting = {
            ...inputs,
            resolve: (rows, shared) =>
              settle(() => {
                together = Math.max(together, shared);
                resolve(rows);
              }),
            reject: (error) => settle(() => reject(error)),
            isDropped: () => {
              if (signal?.aborted) settle(() => resolve(undefined));
              return signal?.aborted === true;
            },
          };
          signal?.addEventListener('abort', giveUp, { once: true });
          bin.waiting.push(asking);
          become(false);
        }),
      rest: () => become(false),
      leave: () => {
        bin.images -= 1;
        if (bin.images === 0) this.#bins.remove(name);
        become(false);
      },
      get together() {
        return together;
      },
    };
  }

  #serve(): void {
    if (this.#isBusy) return;
    const bin = this.#bins.next();
    if (bin === undefined) return;
    this.#isBusy = true;
    void this.#run(bin).finally(() => {
      this.#isBusy = false;
      this.#serve();
    });
  }

  async #run(bin: Bin): Promise<void> {
    const images = bin.take();
    try {
      await this.#call(images);
    } catch (error) {
      if (images.length === 1) images[0]!.reject(error);
      else await this.#runAlone(bin, images);
    }
    // The transformer blocks this thread: messages come in here, whichever bin is next.
    await turn();
  }

  async #runAlone(bin: Bin, images: readonly Waiting[]): Promise<void> {
    let succeeded = 0;
    for (const image of images) {
      await turn();
      if (image.isDropped()) continue;
      try {
        await this.#call([image]);
        succeeded += 1;
      } catch (error) {
        image.reject(error);
      }
    }
    // None of them is at fault: there were too many for the device.
    if (succeeded === images.length) bin.shareLess(images.length);
  }

  async #call(images: readonly Waiting[]): Promise<void> {
    const fixed = this.#join(images.map((image) => image.fixed));
    const predicted = await this.#transformer.run({ ...fixed, ...joinMoving(images) });
    for (const [i, rows] of splitRows(predicted, images).entries()) images[i]!.resolve(rows, images.length);
  }
}
