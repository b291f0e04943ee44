import { captionInputs, captionSpans } from './caption-inputs.ts';
import type { Caption } from './captions.ts';
import { Tensor } from './onnxruntime.ts';

/** Of the latents of one image. */
export type LatentShape = { channels: number; height: number; width: number };

/** The transformer's inputs with the positions of an image's tokens, by name: see position-inputs.ts. */
export type Positions = Record<string, Tensor>;

/** What one image puts into a call of the transformer and does not change from step to step. */
export type FixedInputs = {
  shape: LatentShape;
  /** Of the image. */
  tokens: number;
  positions: Positions;
  /** One row of the call each. */
  captions: Caption[];
};

/** What it asks a prediction for: the same latents and timestep go into each of its rows. */
export type StepInputs = { fixed: FixedInputs; latents: Float32Array; timestep: number };

/**
 * Makes the inputs that images of one shape have in a call that they share. A transformer whose graph takes other
 * inputs needs another one of these, and nothing else.
 */
export type JoinFixed = (images: readonly FixedInputs[]) => Record<string, Tensor>;

/** For graphs that take captions and their mask. */
export const joinCaptions: JoinFixed = (images) => ({
  ...images[0]!.positions,
  ...captionInputs(images.flatMap(({ captions }) => captions)),
});

/** For graphs made for CUDA. */
export const joinSpans: JoinFixed = (images) => ({
  ...images[0]!.positions,
  ...captionSpans(
    images.flatMap(({ captions }) => captions),
    images[0]!.tokens,
  ),
});

/** Remembers, for as long as the first image lives, what it was joined with last: the same images share many calls in a row. */
export function rememberingJoined(join: JoinFixed): JoinFixed {
  // A picture of 4K has 150 MB of positions, which must not outlive it.
  const joined = new WeakMap<FixedInputs, { images: readonly FixedInputs[]; inputs: Record<string, Tensor> }>();
  return (images) => {
    const last = joined.get(images[0]!);
    if (last?.images.length === images.length && images.every((image, i) => image === last.images[i]))
      return last.inputs;
    const inputs = join(images);
    joined.set(images[0]!, { images, inputs });
    return inputs;
  };
}

/** Latents and timesteps of a call, a row for each caption of each image. */
export function joinMoving(images: readonly StepInputs[]): Record<string, Tensor> {
  const { channels, height, width } = images[0]!.fixed.shape;
  const length = channels * height * width;
  const count = rowsOf(images);
  const latents = new Float32Array(count * length);
  const timesteps = new Float32Array(count);
  let row = 0;
  for (const image of images) {
    for (const _ of image.fixed.captions) {
      latents.set(image.latents, row * length);
      timesteps[row++] = image.timestep;
    }
  }
  return {
    latents: new Tensor('float32', latents, [count, channels, height, width]),
    timestep: new Tensor('float32', timesteps, [count]),
  };
}

/** What a call predicted, by image and caption. */
export function splitRows(predicted: Float32Array, images: readonly StepInputs[]): Float32Array[][] {
  const length = predicted.length / rowsOf(images);
  let row = 0;
  const next = (): Float32Array => predicted.subarray(row * length, ++row * length);
  return images.map(({ fixed }) => fixed.captions.map(next));
}

const rowsOf = (images: readonly StepInputs[]): number =>
  images.reduce((sum, { fixed }) => sum + fixed.captions.length, 0);
