/** What the workflows, their activities and the people who start them agree on. Types and names only: workflows import it. */
import { type BundleRef, shortDigest } from '../catalog/bundle-ref.ts';
import type { ChangeCounts } from '../catalog/changes-text.ts';
import type { ExpansionSettings } from '../catalog/expansion/settings.ts';
import type { CatalogFormat } from '../catalog/format.ts';
import type { ImageFormat, Job } from '../catalog/job.ts';
import type { Failure, Receipt, Totals } from '../catalog/receipt.ts';
import type { Size } from '../catalog/size.ts';
import type { BatchEvent } from './batch-event.ts';
import type { FailureBudget, RowFilter, ShardControl } from './control.ts';

export const ORCHESTRATOR_QUEUE = 'orchestrate';

/** A worker holds one bundle, so that each bundle has queues of its own (docs/decisions/069). */
export const renderQueue = (size: Size, bundleDigest: string): string => `render-${size}-${shortDigest(bundleDigest)}`;

export const batchWorkflowId = (batch: string): string => `batch/${batch}`;

/** The name of the query that a batch answers with BatchAnswer, and a shard with its ShardReport. */
export const PROGRESS_QUERY = 'progress';

/** How a catalog's cells are read. */
export type CatalogReading = {
  columns: Record<string, string>;
  /** How choices in cells are read; without it a brace is a brace. */
  expansion?: ExpansionSettings | undefined;
};

/** Where rows come from: a catalog at a URL, or, for a retry, the rows of the batch that have no image yet. */
export type CatalogSource =
  | ({ kind: 'catalog'; url: string; format: CatalogFormat } & CatalogReading)
  | {
      kind: 'retry';
      /** URL of the catalog that the first round was planned from. */
      catalog?: string;
      /** How the first round's catalog was read; rounds that older versions started lack it. */
      reading?: CatalogReading;
      /** Object name of the catalog whose rows take the place of those with their ids. */
      corrected?: { name: string; format: CatalogFormat } & CatalogReading;
      /** Object name of a table of decisions; rows whose images it rejects are made again. */
      decisions?: string;
    };

export type JobDefaults = { size: Size; format: ImageFormat; quality: number | null };

export type BatchInput = {
  /** Folder name in the store and part of the workflow's id. */
  batch: string;
  /** 1 when submitted; each retry adds one and fills the gaps in the same folder. */
  round: number;
  store: string;
  source: CatalogSource;
  bundle: BundleRef;
  defaults: JobDefaults;
  /** Images in flight at once, for each size. */
  window: number;
  /** Whose work it is, for the server to share devices by weight where teams wait for the same. */
  team?: Team | undefined;
  /** More failures than this pause the batch; without it none do. */
  maxFailures?: FailureBudget | undefined;
  /** Address that is told how the batch ends, and that it paused itself. */
  webhook?: string | undefined;
};

/** `id` is the same whenever the event is posted again, so that a receiver can tell. */
export type WebhookDelivery = { url: string; id: string; event: BatchEvent };

export type Team = { name: string; weight: number };

/** What a schedule starts: a batch whose id is the schedule's name and the time it was due. */
export type ScheduledBatchInput = Omit<BatchInput, 'batch' | 'round'> & { schedule: string };

export type BatchState = 'planning' | 'rendering' | 'paused' | 'finishing' | 'completed' | 'cancelled';

/** What a listing shows of a batch without asking its workflow. */
export type BatchMemo = {
  batch: string;
  round: number;
  state: BatchState;
  /** URL of the catalog that the first round was planned from. */
  catalog: string;
  bundle: string;
  bundleDigest: string;
  store: string;
};

export type SizeProgress = { jobs: number; rendered: number; reused: number; failed: number };

export type RecentFailure = { id: string; reason: string };

/** How far a batch is. It counts all its jobs, those that earlier rounds made too. */
export type BatchProgress = {
  batch: string;
  round: number;
  state: BatchState;
  totals: Totals;
  bySize: Partial<Record<Size, SizeProgress>>;
  /** Why it is paused. */
  paused?: string;
  /** Images in flight at once, for each size, as they are set now. */
  window?: number;
  /** How the catalog differs from that of its batch before, where there was one. */
  changes?: ChangeCounts;
  /** The last few, newest first. */
  recentFailures: RecentFailure[];
};

/** A shard's last report as its batch has it; the shard itself knows more. */
export type RunningShard = { shard: ShardRef; workflowId: string; report: ShardReport | null };

/** The answer to the `progress` query: what the batch was told, and whom to ask for the rest. */
export type BatchAnswer = BatchProgress & { running: RunningShard[] };

/** One slice of the plan: all of one size. `name` is its object in the store. */
export type ShardRef = { shard: number; size: Size; jobs: number; name: string };

export type Plan = {
  jobs: number;
  shards: ShardRef[];
  /** Images that earlier rounds made; there are none where it is missing. */
  made?: Partial<Record<Size, MadeImages>>;
  /** How the catalog differs from that of its batch before, where there was one. */
  changes?: ChangeCounts;
  /** Columns that rows carry along; missing where there are too many to tell. */
  columns?: string[];
};

export type MadeImages = Pick<SizeProgress, 'rendered' | 'reused'> & { extraComputations: number };

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

/** How far one shard is. Every report counts from the shard's start, so a lost or repeated one does no harm. */
export type ShardReport = {
  shard: number;
  rendered: number;
  reused: number;
  failed: number;
  extraComputations: number;
  recentFailures: RecentFailure[];
};

/** What a shard needs to know of a job to schedule it; the rest stays in the store. */
export type JobSummary = Pick<Job, 'id' | 'priority'> & { summary: string };

/** One job of the plan: a row of a shard's object. */
export type RenderImageInput = {
  store: string;
  batch: string;
  round: number;
  /** Object name of the plan shard. */
  shard: string;
  /** The job's line in it, counted from 0. */
  index: number;
  bundleDigest: string;
};

/**
 * What renderImage puts first into the details of an application failure. The server tells a workflow the last failure
 * but not how many attempts there were.
 */
export type RenderFailureDetails = { attempts: number };

/** A shard that ended without telling what became of its jobs. */
export type LostShard = { shard: number; reason: string };

export type ReadShardInput = { store: string; shard: string };

export type MatchJobsInput = { store: string; shard: string; filter: RowFilter };

export type WriteReceiptsInput = {
  store: string;
  batch: string;
  round: number;
  shard: number;
  outcomes: (Receipt | Failure)[];
};

export type WriteManifestInput = {
  store: string;
  batch: string;
  round: number;
  /** URL of the catalog that the first round was planned from; missing where an older version did not say. */
  catalog?: string;
  bundle: { name: string; digest: string };
  state: 'completed' | 'cancelled';
  /** ISO 8601: when this round began. */
  startedAt: string;
  lostShards: LostShard[];
};

export type WrittenManifest = { manifest: string; totals: Totals };

export type WriteContactSheetInput = {
  store: string;
  batch: string;
  /** Images that the batch has. */
  total: number;
};

export type WriteSheetPageInput = { store: string; batch: string };

export type BatchResult = {
  batch: string;
  totals: Totals;
  manifest: string;
  contactSheet: string | null;
  /** Id of the workflow that makes the page to review the batch with; batches that older versions ran have none. */
  sheetPage?: string;
};

export type OrchestratorActivities = {
  planBatch(input: BatchInput): Promise<Plan>;
  readShard(input: ReadShardInput): Promise<JobSummary[]>;
  /** The shard's jobs, by index, that a filter on their rows finds. */
  matchJobs(input: MatchJobsInput): Promise<number[]>;
  /** Ids of the activities of the calling workflow that a worker has in hand. */
  activitiesInHand(): Promise<string[]>;
  writeReceipts(input: WriteReceiptsInput): Promise<void>;
  writeManifest(input: WriteManifestInput): Promise<WrittenManifest>;
  /** `null` where there is no image to show. */
  writeContactSheet(input: WriteContactSheetInput): Promise<string | null>;
  writeSheetPage(input: WriteSheetPageInput): Promise<string>;
  postWebhook(delivery: WebhookDelivery): Promise<void>;
};

export type RenderActivities = {
  renderImage(input: RenderImageInput): Promise<Receipt>;
};
