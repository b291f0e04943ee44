import { shardReceiptsName } from '../records/layout.ts';
import { encodeOutcomes } from '../records/plan-and-receipts.ts';
import { type OpenStore, writeOrBeside } from '../store/index.ts';
import type { WriteReceiptsInput } from '../workflows/contract/activities.ts';

/** The activity that keeps what became of a shard's jobs; the manifest is made from it. */
export function createWriteReceipts(openStore: OpenStore) {
  return async function writeReceipts({
    store: url,
    batch,
    round,
    shard,
    outcomes,
  }: WriteReceiptsInput): Promise<void> {
    const store = await openStore(url);
    const name = shardReceiptsName(batch, round, shard);
    await writeOrBeside(store, name, encodeOutcomes(outcomes), 'application/x-ndjson');
  };
}
