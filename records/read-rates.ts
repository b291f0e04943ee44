import { ObjectNotFound, type ObjectStore } from '../store/object-store.ts';
import { ratesName } from './layout.ts';
import { type Rates, ratesSchema } from './rates.ts';

/** What a bundle's images took on this store's fleet; `null` where no batch measured it, or in words of another version. */
export async function readRates(store: ObjectStore, bundleDigest: string): Promise<Rates | null> {
  try {
    const text = Buffer.from(await store.read(ratesName(bundleDigest))).toString('utf8');
    return ratesSchema.safeParse(parsed(text)).data ?? null;
  } catch (error) {
    if (error instanceof ObjectNotFound) return null;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
