import { z } from 'zod';
import { digestSchema } from '../domain/job.ts';
import { SIZES, type Size, sizeSchema } from '../domain/size.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
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

/** What a bundle's images took on this store's fleet; `null` where no batch measured it, or in words of another version. */
export async function readRates(store: ObjectStore, bundleDigest: string): Promise<Rates | null> {
  const bytes = await readIfThere(store, ratesName(bundleDigest));
  return bytes && (ratesSchema.safeParse(parsed(Buffer.from(bytes).toString('utf8'))).data ?? null);
}

/** Keeps what a batch measured. Of two that end at once the later one's rates are kept; they are as good. */
export async function keepRates(store: ObjectStore, bundle: string, rows: readonly ManifestRow[]): Promise<void> {
  const rates = updatedRates(await readRates(store, bundle), bundle, rows);
  if (rates === null) return;
  await store.replace(ratesName(bundle), Buffer.from(`${JSON.stringify(rates)}\n`), 'application/json');
}

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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
