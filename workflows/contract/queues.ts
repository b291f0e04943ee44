import { shortDigest } from '../../domain/bundle-ref.ts';
import type { Size } from '../../domain/size.ts';

export const ORCHESTRATOR_QUEUE = 'orchestrate';

/** A worker holds one bundle, so each bundle has its own task queues (docs/decisions/069). */
export const renderQueue = (size: Size, bundleDigest: string): string => `render-${size}-${shortDigest(bundleDigest)}`;

/** For images that needed more memory than a worker of the usual queue has; served by `worker --large` (docs/decisions/103). */
export const largeRenderQueue = (size: Size, bundleDigest: string): string =>
  `${renderQueue(size, bundleDigest)}-large`;

/** Bundles with the same text encoder share its task queue. @param encoder the encoder's digest */
export const encodeQueue = (encoder: string): string => `encode-${shortDigest(encoder)}`;

/** For messages of one channel, such as `mail`. Only workers that can send them poll it, so that they wait for one that can. */
export const messageQueue = (channel: string): string => `tell-${channel}`;

export const SCHEDULE_PREFIX = 'schedule/';
export const scheduleId = (name: string): string => `${SCHEDULE_PREFIX}${name}`;

export const batchWorkflowId = (batch: string): string => `batch/${batch}`;

/** The batch with that workflow id. */
export const batchOf = (workflowId: string): string => workflowId.replace(/^batch\//, '');

/** The workflow that creates a batch's review page; each round, and each batch submitted again under its id, has its own. */
export const pageWorkflowId = ({ batch, round }: { batch: string; round: number }, firstRunId: string): string =>
  `${batchWorkflowId(batch)}/page/${round}-${firstRunId.slice(0, 8)}`;

/** Each shard of each round is a workflow, named after its batch. */
export const shardWorkflowId = ({ batch, round }: { batch: string; round: number }, shard: number): string =>
  `${batchWorkflowId(batch)}/${round}-${shard}`;
