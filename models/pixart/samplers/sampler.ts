/** Walks one image's latents from noise to picture; holds all that one run has to remember. */
export type Sampler = {
  /** What the transformer is told at each step, noisiest first. */
  readonly timesteps: readonly number[];
  /** [channels, height, width], at the noise level that the run has come to. */
  readonly latents: Float32Array;
  /** What the transformer is shown at a step, counted from 0: the latents, scaled where it was trained so. */
  modelInput(step: number): Float32Array;
  /** Moves the latents on by what the transformer predicted for this step's input. */
  step(step: number, prediction: Float32Array): void;
  /** What `restore` needs, after at least one step: arrays of the latents' length. */
  save(): Float32Array[];
  /**
   * Goes on behind the step in which a state was saved, with the same arithmetic; to be called before the first step.
   *
   * @returns false, with nothing changed, where the state cannot be one of this run
   */
  restore(state: SamplerState): boolean;
};

/** All that the steps to come depend on, between two steps. Only the sampler that saved the arrays knows what they are. */
export type SamplerState = {
  /** Steps done, from 1 to all of them. */
  step: number;
  arrays: Float32Array[];
};

/** The next standard normal noise of the image's seed, in the shape of its latents. */
export type DrawNoise = () => Float32Array;

/** Whether a state fits a run with this many steps, which keeps this many arrays of this length. */
export const fits = ({ step, arrays }: SamplerState, steps: number, count: number, length: number): boolean =>
  Number.isInteger(step) &&
  step >= 1 &&
  step <= steps &&
  arrays.length === count &&
  arrays.every((array) => array.length === length);
