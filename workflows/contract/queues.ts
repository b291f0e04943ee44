import { shortDigest } from '../../domain/bundle-ref.ts';
import type { Size } from '../../domain/size.ts';

export const ORCHESTRATOR_QUEUE = 'orchestrate';

/** A worker holds one bundle, so that each bundle has queues of its own (docs/decisions/069). */
export const renderQueue = (size: Size, bundleDigest: string): string => `render-${size}-${shortDigest(bundleDigest)}`;

/** Where images go for which a worker of the usual queue had too little memory: `worker --large` serves it too (docs/decisions/103). */
export const largeRenderQueue = (size: Size, bundleDigest: string): string =>
  `${renderQueue(size, bundleDigest)}-large`;

/** Bundles that share a text encoder share its queue. @param encoder its digest */
export const encodeQueue = (encoder: string): string => `encode-${shortDigest(encoder)}`;

/** Messages of one channel, such as `mail`; a worker that cannot send them does not ask for any, so that they wait for one that can. */
export const messageQueue = (channel: string): string => `tell-${channel}`;

export const SCHEDULE_PREFIX = 'schedule/';
export const scheduleId = (name: string): string => `${SCHEDULE_PREFIX}${name}`;

export const batchWorkflowId = (batch: string): string => `batch/${batch}`;

/** The batch that has such an id. */
export const batchOf = (workflowId: string): string => workflowId.replace(/^batch\//, '');

/** What makes the page to review a batch with; each round, and each batch that was submitted anew under its id, has its own. */
export const pageWorkflowId = ({ batch, round }: { batch: string; round: number }, firstRunId: string): string =>
  `${batchWorkflowId(batch)}/page/${round}-${firstRunId.slice(0, 8)}`;

/** Rounds and shards of a batch are workflows of their own, under its name. */
export const shardWorkflowId = ({ batch, round }: { batch: string; round: number }, shard: number): string =>
  `${batchWorkflowId(batch)}/${round}-${shard}`;
