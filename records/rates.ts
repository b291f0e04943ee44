import { z } from 'zod';
import { digestSchema } from '../domain/job.ts';
import { SIZES, type Size, sizeSchema } from '../domain/size.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { orWarn, parseRecord, type RecordFile, type Warn } from './damaged.ts';
import { ratesName } from './layout.ts';
import { deviceSeconds, type ManifestRow } from './manifest-table.ts';

const rateSchema = z.strictObject({
  /** How many images it was measured on. */
  images: z.int().positive(),
  /** Device seconds per denoising step, with the image's encoding and decoding spread over its steps. */
  secondsPerStep: z.number().positive(),
});

/** By device name. */
const deviceRatesSchema = z.record(z.string(), rateSchema);

/** How long a bundle's images take on the fleet that serves a store, as its last batches measured it. */
export const ratesSchema = z.strictObject({
  format: z.literal(2),
  bundle: digestSchema,
  sizes: z.partialRecord(sizeSchema, deviceRatesSchema),
});

export type Rates = z.infer<typeof ratesSchema>;
export type DeviceRates = z.infer<typeof deviceRatesSchema>;

/** With fewer images, the first one's warm-up would dominate the figure. */
const ENOUGH_IMAGES = 5;

/** For images whose receipts do not name a device. */
const UNKNOWN_DEVICE = 'a device of which nothing is known';

/** Rates of another format are ignored. */
const anyRatesSchema = z.union([
  ratesSchema,
  z.object({ format: z.int().refine((format) => format !== 2) }).transform(() => null),
]);

/** How long a bundle's images took on this store's fleet; `null` if no batch measured it, or only in another version's format. */
export async function readRates(store: ObjectStore, bundleDigest: string, warn: Warn): Promise<Rates | null> {
  const name = ratesName(bundleDigest);
  const bytes = await readIfThere(store, name);
  const file: RecordFile = {
    store: store.url,
    name,
    holds: "a bundle's rates",
    remedy: 'The next batch with that bundle rewrites it.',
  };
  return bytes && orWarn(warn, 'no estimate is made', () => parseRecord(bytes, anyRatesSchema, file));
}

/** How long a batch's images took, collected row by row. */
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

  /** How many images of a size were rendered. */
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

/** Stores what a batch measured. If two end at once, the later one's rates win; they are just as good. */
export async function keepRates(store: ObjectStore, bundle: string, measured: Measured, warn: Warn): Promise<void> {
  const rates = updatedRates(await readRates(store, bundle, warn), bundle, measured);
  if (rates === null) return;
  await store.replace(ratesName(bundle), Buffer.from(`${JSON.stringify(rates)}\n`), 'application/json');
}

/**
 * The rates after a batch. Its measurements for a size replace the earlier ones, so that devices that have left the
 * fleet do not count. `null` if it measured nothing.
 */
export function updatedRates(before: Rates | null, bundle: string, measured: Measured): Rates | null {
  const news = SIZES.flatMap((size): [Size, DeviceRates][] => {
    const isEnough = measured.images(size) >= ENOUGH_IMAGES || before?.sizes[size] === undefined;
    const rates = isEnough ? measured.rates(size) : {};
    return Object.keys(rates).length > 0 ? [[size, rates]] : [];
  });
  return news.length === 0 ? null : { format: 2, bundle, sizes: { ...before?.sizes, ...Object.fromEntries(news) } };
}
