import { workflowInfo } from '@temporalio/workflow';
import type { BatchInput } from '../contract/batch.ts';
import type { BatchControl } from '../contract/control.ts';
import type { LostShard, ShardRef } from '../contract/plan.ts';
import { emptyLedger, type ProgressLedger } from './batch-progress.ts';
import { firstControl } from './control.ts';
import { RunningShards } from './running-shards.ts';

/** What a batch hands to its next run when its history has grown long. */
export type BatchCarry = {
  startedAt: string;
  /** Shards that no run has started. */
  waiting: ShardRef[];
  lostShards: LostShard[];
  ledger: ProgressLedger;
  /** Missing in what an earlier version handed over. */
  control?: BatchControl;
};

/** A batch and what it knows of its shards that run, which ends with the run. */
export type Batch = Required<BatchCarry> & { running: RunningShards };

/** A batch at the beginning of a run: of its first, or of one that an earlier run handed over to. */
export const batchOf = (input: BatchInput, carry?: BatchCarry): Batch => ({
  ...(carry ?? firstCarry()),
  control: carry?.control ?? firstControl(input),
  running: new RunningShards(),
});

const firstCarry = (): Omit<BatchCarry, 'control'> => ({
  startedAt: workflowInfo().startTime.toISOString(),
  waiting: [],
  lostShards: [],
  ledger: emptyLedger(),
});
