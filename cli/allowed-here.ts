import type { BatchClient } from '../client/index.ts';
import { fleetsFor } from '../infra/dev/fleet-note.ts';
import { storeUrl } from '../store/index.ts';
import { allowanceOf } from '../workers/allowance.ts';
import { checkPlace } from '../workers/allowed-places.ts';
import { checkReceiver } from '../workers/allowed-webhooks.ts';
import { stateFolder } from './options/common-options.ts';

/** What a batch would have workers open: paths or URLs, as a person writes them. */
export type Wanted = {
  store?: string | undefined;
  /** Only of a schedule: workers read its catalog themselves. */
  catalog?: string | undefined;
  terms?: string | undefined;
  webhook?: string | undefined;
};

/**
 * Refuses what a fleet of this machine ("dev" or "npm start") would refuse a moment later. What a fleet elsewhere was allowed, only its
 * workers know.
 *
 * @throws UserError for what it was not started for
 */
export async function checkAllowedHere(
  client: BatchClient,
  { store, catalog, terms, webhook }: Wanted,
  state: string = stateFolder(),
): Promise<void> {
  for (const { allow } of fleetsFor(state, client)) {
    const allowance = allowanceOf(allow);
    for (const [what, place] of Object.entries({ store, catalog, terms })) {
      if (place !== undefined) await checkPlace(allowance, what, storeUrl(place));
    }
    if (webhook !== undefined) checkReceiver(allowance, webhook);
  }
}
