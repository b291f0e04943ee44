import { defineQuery, defineSignal } from '@temporalio/workflow';
import { type BatchProgress, PROGRESS_QUERY, type ShardReport } from './contract.ts';

export const progressQuery = defineQuery<BatchProgress>(PROGRESS_QUERY);

/** From a shard to its batch. */
export const shardReportSignal = defineSignal<[ShardReport]>('shardReport');
