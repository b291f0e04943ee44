import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { CONTROL_UPDATE, type ControlChange, type ShardControl } from './contract/control.ts';
import { type BatchAnswer, PROGRESS_QUERY, type ShardReport } from './contract/progress.ts';

export const progressQuery = defineQuery<BatchAnswer>(PROGRESS_QUERY);

export const shardProgressQuery = defineQuery<ShardReport>(PROGRESS_QUERY);

/** From a shard to its batch. */
export const shardReportSignal = defineSignal<[ShardReport]>('shardReport');

/** From a person to a batch: takes effect before it returns, and within seconds in all shards. */
export const controlUpdate = defineUpdate<void, [ControlChange]>(CONTROL_UPDATE);

/** From a batch to a shard: replaces earlier controls. */
export const shardControlSignal = defineSignal<[ShardControl]>('control');
