import type { BatchListing } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';

type Ended = Pick<BatchListing, 'batch' | 'round' | 'total' | 'withoutManifest'>;

/**
 * For a batch that ended without a manifest: that, why, and what writes one; no line for any other.
 *
 * @param told why, where that was told already
 */
export function withoutManifest(ended: Ended, told?: string | null): string[] {
  const { batch, round, total, withoutManifest: reason } = ended;
  if (reason === null) return [];
  const advice =
    total > 0 || round > 1
      ? `"npx pixart-batch retry ${batch}" writes it, and renders what is missing`
      : 'nothing was planned: put right what was wrong and submit its catalog again';
  return [`ended without a manifest${told ? '' : `: ${oneLine(reason)}`}`, advice];
}
