import type { Team } from './batch.ts';
import type { ShardControl } from './control.ts';
import type { ShardRef } from './plan.ts';

export type ShardInput = {
  store: string;
  batch: string;
  round: number;
  bundleDigest: string;
  shard: ShardRef;
  /** Images in flight at once in this shard. */
  window: number;
  team?: Team | undefined;
  /** What was changed before the shard began. */
  control?: ShardControl | undefined;
};
