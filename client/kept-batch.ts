import type { Totals } from '../domain/receipt.ts';
import { findManifestHead } from '../records/manifest.ts';
import { roundsOf } from '../records/rounds.ts';
import { openStore, storeUrl } from '../store/index.ts';

/** What a store alone tells of a batch. */
export type KeptBatch = {
  batch: string;
  store: string;
  /** The last round that left anything. */
  round: number;
  /** How that round ended; `unfinished` where it wrote no manifest: it was terminated, or runs on another server. */
  state: 'completed' | 'cancelled' | 'unfinished';
  /** What follows is of the last manifest, and `null` where there is none. */
  bundle: string | null;
  totals: Totals | null;
  startedAt: Date | null;
  endedAt: Date | null;
};

/**
 * Looks for a batch that a server has forgotten; `null` where the store has nothing of it.
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
