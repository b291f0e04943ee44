import { expect, test } from 'vitest';
import { withCurrentCounts } from '../../cli/verbs/status.ts';
import type { BatchListing, BatchProgress } from '../../client/index.ts';

const listing: BatchListing = {
  ...{ batch: 'night', round: 1, state: 'rendering', withoutManifest: null, startedAt: new Date(0), endedAt: null },
  ...{ catalog: 'file:///night.csv', store: 'file:///out', bundle: 'icons', bundleDigest: '0123456789abcdef' },
  // As the server lists them until a fiftieth of the batch is done.
  ...{ total: 5_000, done: 0, failed: 0 },
};

const progress: BatchProgress = {
  ...{ batch: 'night', round: 1, state: 'rendering', bySize: {}, recentFailures: [] },
  totals: { jobs: 5_000, rendered: 44, reused: 50, failed: 2, cancelled: 0, extraComputations: 0 },
};

test('"status --json" counts the images that are done now, not those of the last update of listings', () => {
  expect(withCurrentCounts(listing, progress)).toEqual({ ...listing, total: 5_000, done: 94, failed: 2 });
  expect(withCurrentCounts(listing, null)).toEqual(listing);
});
