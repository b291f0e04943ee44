import { SIZES, type Size } from '../domain/size.ts';
import type { DeviceRates, Rates } from './rates.ts';

/** Images of one size to render. */
export type Work = { images: number; steps: number; pixels: number };

/** A plan's device time. Sizes that were not measured are guessed from the nearest one that was. */
export type Estimate = {
  /** `null` if nothing was measured with this bundle. */
  deviceSeconds: number | null;
  measured: Size[];
  guessed: Size[];
  /** The devices that it was measured on. */
  devices: string[];
};

/** Attention grows with the square of the pixels; everything else grows linearly with them. */
const GROWTH = 1.2;

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

/** Assumes that devices share the images as they did in the batch that measured them. */
function secondsPerStep(rates: DeviceRates): number {
  const images = Object.values(rates).reduce((sum, rate) => sum + rate.images, 0);
  return Object.values(rates).reduce((sum, rate) => sum + (rate.images / images) * rate.secondsPerStep, 0);
}

function nearestOf(known: readonly Size[], size: Size): Size {
  const distance = (other: Size): number => Math.abs(SIZES.indexOf(other) - SIZES.indexOf(size));
  return known.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** Pixels of a size's square image. */
const squareOf = (size: Size): number => ({ 256: 256, 512: 512, 1024: 1024, '2k': 2048, '4k': 2880 })[size] ** 2;
