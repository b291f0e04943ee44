import { StoreUnavailable } from '../store/index.ts';
import { STORE_SILENCE_SECONDS } from '../workflows/contract/limits.ts';
import type { Heartbeats } from './heartbeats.ts';

export const storeSilence = (url: string): StoreUnavailable =>
  new StoreUnavailable(`store ${url}: it has not answered for more than ${STORE_SILENCE_SECONDS} seconds`);

/** Runs a store operation, and reports in heartbeats if it takes too long: a network folder may hang for hours. */
export async function tellingSilence<T>(heartbeats: Heartbeats, url: string, ask: () => Promise<T>): Promise<T> {
  let isSilent = false;
  const timer = setTimeout(() => {
    isSilent = true;
    heartbeats.waitFor(storeSilence(url).message);
  }, 1_000 * STORE_SILENCE_SECONDS);
  try {
    return await ask();
  } finally {
    clearTimeout(timer);
    if (isSilent) heartbeats.stopWaiting();
  }
}
