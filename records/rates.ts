import { z } from 'zod';
import { digestSchema } from '../domain/job.ts';
import { SIZES, type Size, sizeSchema } from '../domain/size.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { orWarn, parseRecord, type RecordFile, type Warn } from './damaged.ts';
import { ratesName } from './layout.ts';
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
export type DeviceRates = z.infer<typeof deviceRatesSchema>;

/** From fewer images the first one's warm-up would be most of the figure. */
const ENOUGH_IMAGES = 5;

/** Of images whose receipts do not say. */
const UNKNOWN_DEVICE = 'a device of which nothing is known';

/** Those of another version say nothing here. */
const anyRatesSchema = z.union([
  ratesSchema,
  z.object({ format: z.int().refine((format) => format !== 2) }).transform(() => null),
]);

/** What a bundle's images took on this store's fleet; `null` where no batch measured it, or in words of another version. */
export async function readRates(store: ObjectStore, bundleDigest: string, warn: Warn): Promise<Rates | null> {
  const name = ratesName(bundleDigest);
  const bytes = await readIfThere(store, name);
  const file: RecordFile = {
    store: store.url,
    name,
    holds: 'what images of a bundle took',
    remedy: 'The next batch with that bundle writes it anew.',
  };
  return bytes && orWarn(warn, 'no estimate is made', () => parseRecord(bytes, anyRatesSchema, file));
}

/** What a batch's images took, noted as its rows come. */
export class Measured {
  readonly #sizes = new Map<
    Size,
    { images: number; devices: Map<string, { images: number; seconds: number; steps: number }> }
  >();

  add(row: ManifestRow): void {
    if (row.status !== 'rendered') return;
    const ofSize = this.#sizes.get(row.size) ?? { images: 0, devices: new Map() };
    this.#sizes.set(row.size, ofSize);
    ofSize.images += 1;
    const name = row.device ?? UNKNOWN_DEVICE;
    const { images, seconds, steps } = ofSize.devices.get(name) ?? { images: 0, seconds: 0, steps: 0 };
    ofSize.devices.set(name, { images: images + 1, seconds: seconds + deviceSeconds(row), steps: steps + row.steps });
  }

  /** Images of a size that were rendered. */
  images(size: Size): number {
    return this.#sizes.get(size)?.images ?? 0;
  }

  rates(size: Size): DeviceRates {
    const rates = [...(this.#sizes.get(size)?.devices ?? [])].flatMap(([name, { images, seconds, steps }]) =>
      seconds === 0 || steps === 0 ? [] : [[name, { images, secondsPerStep: seconds / steps }] as const],
    );
    return Object.fromEntries(rates);
  }
}

/** Keeps what a batch measured. Of two that end at once the later one's rates are kept; they are as good. */
export async function keepRates(store: ObjectStore, bundle: string, measured: Measured, warn: Warn): Promise<void> {
  const rates = updatedRates(await readRates(store, bundle, warn), bundle, measured);
  if (rates === null) return;
  await store.replace(ratesName(bundle), Buffer.from(`${JSON.stringify(rates)}\n`), 'application/json');
}

/**
 * The rates after a batch: what it measured of a size replaces what was known before, so that devices which have left the fleet do not
 * count. `null` where it measured nothing.
 */
export function updatedRates(before: Rates | null, bundle: string, measured: Measured): Rates | null {
  const news = SIZES.flatMap((size): [Size, DeviceRates][] => {
    const isEnough = measured.images(size) >= ENOUGH_IMAGES || before?.sizes[size] === undefined;
    const rates = isEnough ? measured.rates(size) : {};
    return Object.keys(rates).length > 0 ? [[size, rates]] : [];
  });
  return news.length === 0 ? null : { format: 2, bundle, sizes: { ...before?.sizes, ...Object.fromEntries(news) } };
}
