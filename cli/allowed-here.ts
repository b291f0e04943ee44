import type { BatchClient } from '../client/index.ts';
import { fleetsFor } from '../infra/dev/fleet-note.ts';
import { storeUrl } from '../store/index.ts';
import { allowanceOf } from '../workers/allowance.ts';
import { checkPlace } from '../workers/allowed-places.ts';
import { checkReceiver } from '../workers/allowed-webhooks.ts';
import { stateFolder } from './options/common-options.ts';

/** What a batch would make workers open: paths or URLs, as the user writes them. */
export type Wanted = {
  store?: string | undefined;
  /** Schedules only: workers read their catalogs themselves. */
  catalog?: string | undefined;
  terms?: string | undefined;
  webhook?: string | undefined;
};

/**
 * Refuses what a fleet on this machine ("dev" or "npm start") would refuse a moment later. Only its own workers know what a
 * fleet elsewhere allows.
 *
 * @throws UserError for a place or receiver that the fleet was not started with
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
