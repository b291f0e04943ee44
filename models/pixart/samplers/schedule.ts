import { UserError } from '../../../domain/user-error.ts';
import { mostSteps, type SchedulerConfig, samplerName } from './scheduler-config.ts';

const { fround } = Math;

/** Replaces a signal of exactly zero, so that the first sigma is finite. */
const SMALLEST_SIGNAL = 2 ** -24;

/** How noise grew over the training steps. */
type TrainingSchedule = {
  trainSteps: number;
  betaSchedule: 'linear' | 'scaled_linear';
  betaStart: number;
  betaEnd: number;
  /** Rescaled so that nothing of the image is left at the last step; false where left out. */
  zeroTerminalSnr?: boolean;
};

/**
 * @param bundle the name of the one whose sampler it is, where that is known
 * @throws UserError for a number of steps that the sampler cannot take.
 */
export function checkSteps(config: SchedulerConfig, steps: number, bundle?: string): void {
  const most = mostSteps(config);
  if (steps >= 1 && steps <= most) return;
  const taker = `${bundle === undefined ? '' : `bundle ${bundle} with `}sampler ${samplerName(config)}`;
  throw new UserError(`steps: expected 1 to ${most}, found ${steps}; ${taker} supports no others`);
}

/**
 * The noise of every training step in relation to the image, sigma over alpha.
 *
 * Source: diffusers, schedulers/scheduling_dpmsolver_multistep.py, rounded to float32 where it rounds.
 */
export const noiseLevels = (schedule: TrainingSchedule): Float32Array => signalLevels(schedule).map(sigmaOf);

/**
 * The last timestep of each of `steps` equal parts, after Lin et al., arXiv 2305.08891, table 2. The part's length is taken
 * as `numpy.arange` takes it, which decides ties. For a few counts (61 and 103 are the first) rounding gives the reference
 * one step more, at timestep −1; it is left out here.
 */
export function trailing(trainSteps: number, steps: number): number[] {
  const part = trainSteps - (trainSteps - trainSteps / steps);
  return Array.from({ length: steps }, (_, i) => roundHalfEven(trainSteps - i * part) - 1);
}

/** As numpy rounds. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** ᾱ of every training step, rounded to float32 where the reference rounds. */
function signalLevels(config: TrainingSchedule): Float32Array {
  const betas = trainingBetas(config);
  if (!config.zeroTerminalSnr) return cumulativeSignal(betas);
  const signal = cumulativeSignal(rescaleToZeroSnr(betas));
  signal[signal.length - 1] = SMALLEST_SIGNAL;
  return signal;
}

function trainingBetas({ trainSteps, betaSchedule, betaStart, betaEnd }: TrainingSchedule): Float32Array {
  if (betaSchedule === 'linear') return linspace(betaStart, betaEnd, trainSteps);
  return linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), trainSteps).map((root) => root * root);
}

/** As `torch.linspace`, which counts from both ends. */
function linspace(start: number, end: number, count: number): Float32Array {
  const step = fround((fround(end) - fround(start)) / (count - 1));
  return Float32Array.from({ length: count }, (_, i) =>
    i < count / 2 ? fround(start) + fround(step * i) : fround(end) - fround(step * (count - 1 - i)),
  );
}

/** `torch.cumprod` accumulates in double precision and stores single. */
function cumulativeSignal(betas: Float32Array): Float32Array {
  let product = 1;
  return betas.map((beta) => {
    product *= fround(1 - beta);
    return product;
  });
}

/** Shifts and scales √ᾱ so that the last is zero and the first is unchanged (arXiv 2305.08891, algorithm 1). */
function rescaleToZeroSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeSignal(betas).map(Math.sqrt);
  const first = roots[0]!;
  const last = roots[roots.length - 1]!;
  const scale = fround(first / fround(first - last));
  const signal = roots.map((root) => fround(fround(root - last) * scale) ** 2);
  return signal.map((level, i) => 1 - (i === 0 ? level : fround(level / signal[i - 1]!)));
}

const sigmaOf = (signal: number): number => fround(Math.sqrt(fround(fround(1 - signal) / signal)));
