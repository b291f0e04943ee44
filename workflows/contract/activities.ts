import type { JobOutcome, Receipt, Totals } from '../../domain/receipt.ts';
import type { RowFilter } from '../../domain/row-filter.ts';
import type { BatchInput } from './batch.ts';
import type { JobSummary, LostShard, Plan } from './plan.ts';
import type { WebhookDelivery } from './webhook.ts';

/** One job of the plan: a row of a shard's object. */
export type RenderImageInput = {
  store: string;
  batch: string;
  round: number;
  /** Object name of the plan shard. */
  shard: string;
  /** The job's line in that object, counted from 0. */
  index: number;
  bundleDigest: string;
  /** The job's summary for people: see JobSummary. Earlier versions' batches have none. */
  summary?: string;
  /** Set if the job was taken back from a worker before. */
  earlier?: EarlierWork;
};

/** What earlier attempts of a job computed: how often it was started, and the total number of denoising steps. */
export type EarlierWork = { computations: number; stepsComputed: number };

/**
 * The first of the details of renderImage's application failures. The server gives a workflow the last failure, but not
 * the number of attempts.
 */
export type RenderFailureDetails = { attempts: number };

export type ReadShardInput = {
  store: string;
  shard: string;
  /** How many were planned; missing from calls of older versions. */
  jobs?: number;
};

/** Some of a shard's jobs, by line: from `from` (inclusive) to `to` (exclusive). */
export type EncodeCaptionsInput = {
  store: string;
  batch: string;
  shard: string;
  from: number;
  to: number;
  /** Digest of the text encoder. */
  encoder: string;
  /** The captions were found missing: a picture that exists is then damaged, and will be rendered again. */
  isMissed?: boolean;
};

export type EncodedCaptions = {
  /** The captions of all jobs before this one are in the store. */
  until: number;
  /** How many texts had to be encoded for that. */
  encoded: number;
};

export type MatchJobsInput = { store: string; shard: string; filter: RowFilter };

export type WriteReceiptsInput = {
  store: string;
  batch: string;
  round: number;
  shard: number;
  outcomes: JobOutcome[];
};

export type WriteManifestInput = {
  store: string;
  batch: string;
  round: number;
  /** URL of the catalog that the first round was planned from; missing from batches of older versions. */
  catalog?: string;
  bundle: { name: string; digest: string };
  state: 'completed' | 'cancelled';
  /** ISO 8601: when this round started. */
  startedAt: string;
  lostShards: LostShard[];
};

export type WrittenManifest = {
  /** Object name of this round's manifest. */
  manifest: string;
  totals: Totals;
  /** Objects that the store did not let be replaced, in words; missing from older workers. */
  warnings?: string[];
};

export type WriteContactSheetInput = {
  store: string;
  batch: string;
  /** How many images the batch has. */
  total: number;
};

export type WriteSheetPageInput = { store: string; batch: string };

export type OrchestratorActivities = {
  planBatch(input: BatchInput): Promise<Plan>;
  readShard(input: ReadShardInput): Promise<JobSummary[]>;
  /** The indexes of the shard's jobs whose rows match a filter. */
  matchJobs(input: MatchJobsInput): Promise<number[]>;
  /** The calling workflow's activities that a worker is executing: see inHandText. */
  activitiesInHand(): Promise<string[]>;
  /** How many workers have recently polled for texts to encode, or are encoding the calling workflow's. */
  encodersSeen(input: { encoder: string }): Promise<number>;
  writeReceipts(input: WriteReceiptsInput): Promise<void>;
  writeManifest(input: WriteManifestInput): Promise<WrittenManifest>;
  /** Returns `null` if there is no image to show. */
  writeContactSheet(input: WriteContactSheetInput): Promise<string | null>;
  writeSheetPage(input: WriteSheetPageInput): Promise<string>;
  /** For workflows of earlier versions; see MessageActivities. */
  postWebhook: MessageActivities['postWebhook'];
};

/** Each channel has its own task queue: see messageQueue. */
export type MessageActivities = {
  /** Posts the event to a webhook, signed. */
  postWebhook(delivery: WebhookDelivery): Promise<void>;
  /** Sends people a message about it, through Slack, Teams or mail. */
  sendMessage(delivery: WebhookDelivery): Promise<void>;
};

export type EncodeActivities = {
  encodeCaptions(input: EncodeCaptionsInput): Promise<EncodedCaptions>;
};

export type RenderActivities = {
  renderImage(input: RenderImageInput): Promise<Receipt>;
};
