import { z } from 'zod';
import { digestSchema } from './job.ts';
import { deviceSeconds, type ManifestRow } from './manifest-table.ts';
import { SIZES, type Size, sizeSchema } from './size.ts';

const rateSchema = z.strictObject({
  /** Images that it was measured on. */
  images: z.int().positive(),
  /** Device seconds for each denoising step, the image's encoding and decoding spread over its steps. */
  secondsPerStep: z.number().positive(),
});

/** What a bundle's images take on the fleet that serves a store, as its last batches measured it. */
export const ratesSchema = z.strictObject({
  format: z.literal(1),
  bundle: digestSchema,
  sizes: z.partialRecord(sizeSchema, rateSchema),
});

export type Rates = z.infer<typeof ratesSchema>;
type Rate = z.infer<typeof rateSchema>;

/** Images of one size that are to be rendered. */
export type Work = { images: number; steps: number; pixels: number };

/** Device time of a plan; what was not measured is guessed from the nearest size that was. */
export type Estimate = {
  /** `null` where nothing was measured with this bundle. */
  deviceSeconds: number | null;
  measured: Size[];
  guessed: Size[];
};

/** From fewer images the first one's warm-up would be most of the figure. */
const ENOUGH_IMAGES = 5;

/** Attention's share grows with the square of the pixels; all else grows with them. */
const GROWTH = 1.2;

/** The rates after a batch: what it measured replaces what was known before. `null` where it measured nothing. */
export function updatedRates(before: Rates | null, bundle: string, rows: readonly ManifestRow[]): Rates | null {
  const measured = SIZES.flatMap((size): [Size, Rate][] => {
    const rendered = rows.filter((row) => row.size === size && row.status === 'rendered');
    const rate = rateOf(rendered);
    return rate !== null && (rendered.length >= ENOUGH_IMAGES || before?.sizes[size] === undefined)
      ? [[size, rate]]
      : [];
  });
  return measured.length === 0
    ? null
    : { format: 1, bundle, sizes: { ...before?.sizes, ...Object.fromEntries(measured) } };
}

function rateOf(rendered: readonly ManifestRow[]): Rate | null {
  const seconds = rendered.reduce((sum, row) => sum + deviceSeconds(row), 0);
  const steps = rendered.reduce((sum, row) => sum + row.steps, 0);
  return seconds === 0 || steps === 0 ? null : { images: rendered.length, secondsPerStep: seconds / steps };
}

/** @param work by size */
export function estimate(rates: Rates | null, work: ReadonlyMap<Size, Work>): Estimate {
  const known = SIZES.filter((size) => rates?.sizes[size] !== undefined);
  const sizes = [...work.keys()];
  const measured = sizes.filter((size) => known.includes(size));
  const guessed = sizes.filter((size) => !known.includes(size));
  if (known.length === 0) return { deviceSeconds: sizes.length === 0 ? 0 : null, measured, guessed };
  const seconds = [...work].map(([size, { images, steps, pixels }]) => {
    const nearest = nearestOf(known, size);
    const growth = nearest === size ? 1 : (pixels / images / squareOf(nearest)) ** GROWTH;
    return steps * rates!.sizes[nearest]!.secondsPerStep * growth;
  });
  return { deviceSeconds: seconds.reduce((sum, of) => sum + of, 0), measured, guessed };
}

function nearestOf(known: readonly Size[], size: Size): Size {
  const distance = (other: Size): number => Math.abs(SIZES.indexOf(other) - SIZES.indexOf(size));
  return known.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** Pixels of a size's square image. */
const squareOf = (size: Size): number => ({ 256: 256, 512: 512, 1024: 1024, '2k': 2048, '4k': 2880 })[size] ** 2;
