import { defineQuery, defineSignal } from '@temporalio/workflow';
import { type BatchAnswer, PROGRESS_QUERY, type ShardReport } from './contract.ts';

export const progressQuery = defineQuery<BatchAnswer>(PROGRESS_QUERY);

export const shardProgressQuery = defineQuery<ShardReport>(PROGRESS_QUERY);

/** From a shard to its batch. */
export const shardReportSignal = defineSignal<[ShardReport]>('shardReport');
