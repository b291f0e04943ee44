import { type Size, sizeSchema } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { imagesPerSecond, type Results, samplesOf } from '../gpu/results.ts';

/** How fast one GPU makes images of a size when it always has work. An input of the simulation, never its result. */
export type Rate = {
  size: Size;
  /** Images a second with full calls. */
  perSecond: number;
  /** Images a second, one at a time. */
  alone: number;
  /** Images in a full call. */
  together: number;
};

/** In milliseconds: a call with one image, each further image in it, and decoding one. */
export type DeviceTimes = { stepMs: number; furtherMs: number; decodeMs: number };

export const STEPS = 20;

/** Decoding's share of an image's time. The goal at 1024 px is 0.12 of denoising. */
const DECODE_SHARE = 0.1;

/**
 * Our goals for one H100 with 20 steps and guidance. 256 and 512 px run in calls of eight. At 1024 px two images share a
 * call, which gains nothing. No GPU was measured.
 */
export const GOALS: readonly Rate[] = [
  { size: '256', perSecond: 20, alone: 2.5, together: 8 },
  { size: '512', perSecond: 5, alone: 1.4, together: 8 },
  { size: '1024', perSecond: 1.1, alone: 1.1, together: 2 },
  { size: '2k', perSecond: 0.15, alone: 0.15, together: 1 },
];

/** @throws UserError for anything but `<size>:<images a second>:<alone>:<images a call>`, separated by commas */
export function readRates(text: string): Rate[] {
  return text.split(',').map((part) => {
    const [size, ...numbers] = part.split(':');
    const [perSecond, alone, together] = numbers.map(Number);
    const parsed = sizeSchema.safeParse(size);
    if (!parsed.success || numbers.length !== 3 || !numbers.every((number) => Number(number) > 0))
      throw new UserError(
        `--rates: expected <size>:<images a second>:<images a second alone>:<images a call>, such as 512:5:1.4:8, found ${part}`,
      );
    return { size: parsed.data, perSecond: perSecond!, alone: alone!, together: together! };
  });
}

/** What `benchmarks/gpu.ts` measured, and the goals for other sizes. */
export function ratesOf(results: Results): Rate[] {
  return GOALS.map((goal) => {
    const perSecond = imagesPerSecond(results, goal.size);
    if (perSecond === undefined) return goal;
    const together = samplesOf(results, goal.size, 'ours').map((sample) => sample.together ?? 1);
    const alone = imagesPerSecond(results, goal.size, 'alone') ?? perSecond;
    return { size: goal.size, perSecond, alone, together: Math.max(...together) };
  });
}

/** The times of a device that reaches a rate. A lone image takes no longer than a full call. */
export function deviceTimes({ perSecond, alone, together }: Rate): DeviceTimes {
  const decodeMs = (1_000 * DECODE_SHARE) / perSecond;
  const fullMs = (together * (1_000 / perSecond - decodeMs)) / STEPS;
  const stepMs = Math.min(fullMs, (1_000 / alone - decodeMs) / STEPS);
  return { stepMs, furtherMs: together === 1 ? 0 : (fullMs - stepMs) / (together - 1), decodeMs };
}
