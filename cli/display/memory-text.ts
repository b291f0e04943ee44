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

type PeakBySize = Partial<Record<Size, number | null>>;

/** The largest number that a worker chooses itself; its peak is shown next to that of a single image. */
const MICRO_BATCH = 8;

/** Peak memory on a CPU, in bytes; `null` if unknown. */
type BundleMemory = {
  /** Of the process that encodes texts; it ends when there are none left. */
  textEncoder: number;
  /** Of a process that renders, by size. */
  painter: PeakBySize;
  /** Of one in which several images share each step. */
  microBatch: { images: number; painter: PeakBySize };
  weights: { textEncoder: number; painter: number };
};

/** `null` if the bundle's graphs are missing or cannot be parsed. */
export function bundleMemory(bundle: Bundle): BundleMemory | null {
  const networks = networksOrNull(bundle);
  if (networks === null) return null;
  const { encoderWeights, painterWeights } = networks;
  const peaks = (microBatch: number): PeakBySize =>
    Object.fromEntries(
      bundleRef(bundle).sizes.map((size) => [
        size,
        painterPeak(networks, binsOf(size), { isWhole: false, microBatch }),
      ]),
    );
  return {
    textEncoder: encoderMemory(networks).total,
    painter: peaks(1),
    microBatch: { images: MICRO_BATCH, painter: peaks(MICRO_BATCH) },
    weights: { textEncoder: encoderWeights, painter: painterWeights },
  };
}

/** Peak memory of each renderer process of a batch; `null` if unknown. */
export function batchMemory(
  bundle: Bundle,
  bins: readonly { bin: Bin }[],
  { isWhole, microBatch = 1 }: { isWhole: boolean; microBatch?: number },
): number | null {
  const networks = networksOrNull(bundle);
  const shapes = bins.map(({ bin }) => bin);
  return networks && painterPeak(networks, shapes, { isWhole, microBatch });
}

/** The same for `--json`. */
export const batchMemoryFacts = (bundle: Bundle, bins: readonly { bin: Bin }[], isWhole: boolean) => ({
  rendererBytes: batchMemory(bundle, bins, { isWhole }),
  microBatch: { images: MICRO_BATCH, rendererBytes: batchMemory(bundle, bins, { isWhole, microBatch: MICRO_BATCH }) },
});

/** `peak memory of each renderer process on a CPU: about 835 MiB, 1,912 MiB with --micro-batch 8; on a GPU: unknown` */
export function batchMemoryText(bundle: Bundle, bins: readonly { bin: Bin }[], isWhole: boolean): string {
  const peak = batchMemory(bundle, bins, { isWhole });
  const shared = batchMemory(bundle, bins, { isWhole, microBatch: MICRO_BATCH });
  const both = peak && shared && `about ${mebibytes(peak)}, ${mebibytes(shared)} with --micro-batch ${MICRO_BATCH}`;
  const how = isWhole ? ', with images decoded whole' : '';
  return `peak memory of each renderer process on a CPU${how}: ${both ?? 'unknown'}; on a GPU: unknown`;
}

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB`;

const painterPeak = (
  networks: Networks,
  bins: readonly Bin[],
  how: { isWhole: boolean; microBatch: number },
): number | null =>
  painterMemoryOfAll(
    networks,
    bins.map((bin) => ({ bin, ...how })),
  )?.total ?? null;
