import { z } from 'zod';
import { digestSchema } from '../domain/job.ts';
import { SIZES, type Size, sizeSchema } from '../domain/size.ts';
import { deviceSeconds, type ManifestRow } from './manifest-table.ts';

const rateSchema = z.strictObject({
  /** Images that it was measured on. */
  images: z.int().positive(),
  /** Device seconds for each denoising step, the image's encoding and decoding spread over its steps. */
  secondsPerStep: z.number().positive(),
});

/** By what the devices are. */
const deviceRatesSchema = z.record(z.string(), rateSchema);

/** What a bundle's images take on the fleet that serves a store, as its last batches measured it. */
export const ratesSchema = z.strictObject({
  format: z.literal(2),
  bundle: digestSchema,
  sizes: z.partialRecord(sizeSchema, deviceRatesSchema),
});

export type Rates = z.infer<typeof ratesSchema>;
type DeviceRates = z.infer<typeof deviceRatesSchema>;

/** Images of one size that are to be rendered. */
export type Work = { images: number; steps: number; pixels: number };

/** Device time of a plan; what was not measured is guessed from the nearest size that was. */
export type Estimate = {
  /** `null` where nothing was measured with this bundle. */
  deviceSeconds: number | null;
  measured: Size[];
  guessed: Size[];
  /** What it was measured on. */
  devices: string[];
};

/** From fewer images the first one's warm-up would be most of the figure. */
const ENOUGH_IMAGES = 5;

/** Attention's share grows with the square of the pixels; all else grows with them. */
const GROWTH = 1.2;

/** Of images whose receipts do not say. */
const UNKNOWN_DEVICE = 'a device of which nothing is known';

/**
 * The rates after a batch: what it measured of a size replaces what was known before, so that devices which have left the fleet do not
 * count. `null` where it measured nothing.
 */
export function updatedRates(before: Rates | null, bundle: string, rows: readonly ManifestRow[]): Rates | null {
  const measured = SIZES.flatMap((size): [Size, DeviceRates][] => {
    const rendered = rows.filter((row) => row.size === size && row.status === 'rendered');
    const isEnough = rendered.length >= ENOUGH_IMAGES || before?.sizes[size] === undefined;
    const rates = isEnough ? ratesOf(rendered) : {};
    return Object.keys(rates).length > 0 ? [[size, rates]] : [];
  });
  return measured.length === 0
    ? null
    : { format: 2, bundle, sizes: { ...before?.sizes, ...Object.fromEntries(measured) } };
}

function ratesOf(rendered: readonly ManifestRow[]): DeviceRates {
  const devices = new Set(rendered.map(({ device }) => device ?? UNKNOWN_DEVICE));
  const rates = [...devices].flatMap((name) => {
    const rows = rendered.filter(({ device }) => (device ?? UNKNOWN_DEVICE) === name);
    const seconds = rows.reduce((sum, row) => sum + deviceSeconds(row), 0);
    const steps = rows.reduce((sum, row) => sum + row.steps, 0);
    return seconds === 0 || steps === 0
      ? []
      : [[name, { images: rows.length, secondsPerStep: seconds / steps }] as const];
  });
  return Object.fromEntries(rates);
}

/** A fleet's devices share the images as they did in the batch that measured them. */
function secondsPerStep(rates: DeviceRates): number {
  const images = Object.values(rates).reduce((sum, rate) => sum + rate.images, 0);
  return Object.values(rates).reduce((sum, rate) => sum + (rate.images / images) * rate.secondsPerStep, 0);
}

/** @param work by size */
export function estimate(rates: Rates | null, work: ReadonlyMap<Size, Work>): Estimate {
  const known = SIZES.filter((size) => rates?.sizes[size] !== undefined);
  const sizes = [...work.keys()];
  const measured = sizes.filter((size) => known.includes(size));
  const guessed = sizes.filter((size) => !known.includes(size));
  if (known.length === 0) return { deviceSeconds: sizes.length === 0 ? 0 : null, measured, guessed, devices: [] };
  const devices = new Set<string>();
  const seconds = [...work].map(([size, { images, steps, pixels }]) => {
    const nearest = nearestOf(known, size);
    const growth = nearest === size ? 1 : (pixels / images / squareOf(nearest)) ** GROWTH;
    const ofNearest = rates!.sizes[nearest]!;
    for (const device of Object.keys(ofNearest)) devices.add(device);
    return steps * secondsPerStep(ofNearest) * growth;
  });
  return { deviceSeconds: seconds.reduce((sum, of) => sum + of, 0), measured, guessed, devices: [...devices] };
}

function nearestOf(known: readonly Size[], size: Size): Size {
  const distance = (other: Size): number => Math.abs(SIZES.indexOf(other) - SIZES.indexOf(size));
  return known.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** Pixels of a size's square image. */
const squareOf = (size: Size): number => ({ 256: 256, 512: 512, 1024: 1024, '2k': 2048, '4k': 2880 })[size] ** 2;
