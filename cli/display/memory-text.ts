import { binsOf } from '../../domain/bins.ts';
import type { Bin, Size } from '../../domain/size.ts';
import {
  type Bundle,
  bundleRef,
  encoderMemory,
  type Networks,
  networksOrNull,
  painterMemoryOfAll,
} from '../../models/pixart/index.ts';

/** Peaks on a processor, in bytes; `null` where they are not known. */
export type BundleMemory = {
  /** Of the process that encodes texts, and ends when there are none. */
  textEncoder: number;
  /** Of a process that paints, by size. */
  painter: Partial<Record<Size, number | null>>;
  weights: { textEncoder: number; painter: number };
};

/** `null` where files that would tell are not there, or are no graphs. */
export function bundleMemory(bundle: Bundle): BundleMemory | null {
  const networks = networksOrNull(bundle);
  if (networks === null) return null;
  const { encoderWeights, painterWeights } = networks;
  return {
    textEncoder: encoderMemory(networks).total,
    painter: Object.fromEntries(
      bundleRef(bundle).sizes.map((size) => [size, painterPeak(networks, binsOf(size), false)]),
    ),
    weights: { textEncoder: encoderWeights, painter: painterWeights },
  };
}

/** What each renderer process of a batch takes at its peak; `null` where it is not known. */
export function batchMemory(bundle: Bundle, bins: readonly { bin: Bin }[], isWhole: boolean): number | null {
  const networks = networksOrNull(bundle);
  return (
    networks &&
    painterPeak(
      networks,
      bins.map(({ bin }) => bin),
      isWhole,
    )
  );
}

/** `memory of each renderer process on a processor: about 835 MiB at its peak` */
export function batchMemoryText(bundle: Bundle, bins: readonly { bin: Bin }[], isWhole: boolean): string {
  const peak = batchMemory(bundle, bins, isWhole);
  const how = isWhole ? ', with pictures decoded in one piece' : '';
  return `memory of each renderer process on a processor${how}: ${peak === null ? 'not known' : `about ${mebibytes(peak)} at its peak`}; on a GPU it is not known`;
}

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;

const painterPeak = (networks: Networks, bins: readonly Bin[], isWhole: boolean): number | null =>
  painterMemoryOfAll(
    networks,
    bins.map((bin) => ({ bin, isWhole })),
  )?.total ?? null;
