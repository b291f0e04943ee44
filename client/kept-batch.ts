import type { Totals } from '../domain/receipt.ts';
import { findManifestHead } from '../records/manifest.ts';
import { roundsOf } from '../records/rounds.ts';
import { openStore, storeUrl } from '../store/index.ts';

/** What a store alone knows about a batch. */
export type KeptBatch = {
  batch: string;
  store: string;
  /** The last round that left anything. */
  round: number;
  /** How that round ended; `unfinished` if it wrote no manifest: it was terminated, or is running on another server. */
  state: 'completed' | 'cancelled' | 'unfinished';
  /** These are from the last manifest, and `null` if there is none. */
  bundle: string | null;
  totals: Totals | null;
  startedAt: Date | null;
  endedAt: Date | null;
};

/**
 * Looks in its store for a batch that the server has forgotten; `null` if the store does not know it either.
 *
 * @param store a folder, a `file:` URL or a `gs://bucket/prefix`
 * @throws UserError for a store that cannot be used
 */
export async function keptBatch(store: string, batch: string): Promise<KeptBatch | null> {
  const opened = await openStore(storeUrl(store));
  const { last } = await roundsOf(opened, batch);
  const manifest = await findManifestHead(opened, batch);
  if (last === 0 && manifest === null) return null;
  const isOfLast = manifest !== null && manifest.round >= last;
  return {
    batch,
    store: opened.url,
    round: Math.max(last, manifest?.round ?? 0),
    state: isOfLast ? manifest.state : 'unfinished',
    bundle: manifest?.bundle.name ?? null,
    totals: manifest?.totals ?? null,
    startedAt: manifest && new Date(manifest.startedAt),
    endedAt: manifest && new Date(manifest.finishedAt),
  };
}
