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
  /** The job's line in it, counted from 0. */
  index: number;
  bundleDigest: string;
  /** What people are told of the job: see JobSummary. An earlier version's batch says nothing. */
  summary?: string;
  /** Where the job was taken back from a worker before. */
  earlier?: EarlierWork;
};

/** What earlier attempts of a job computed: how often it was begun, and the denoising steps in all. */
export type EarlierWork = { computations: number; stepsComputed: number };

/**
 * What renderImage puts first into the details of an application failure. The server tells a workflow the last failure
 * but not how many attempts there were.
 */
export type RenderFailureDetails = { attempts: number };

export type ReadShardInput = {
  store: string;
  shard: string;
  /** As many as were planned; missing where an older version asks. */
  jobs?: number;
};

/** Some of a shard's jobs, by their lines in it: those from `from` on, and before `to`. */
export type EncodeCaptionsInput = {
  store: string;
  batch: string;
  shard: string;
  from: number;
  to: number;
  /** Digest of the text encoder. */
  encoder: string;
  /** The captions were found missing: then a picture that is there is damaged, and is to be made again. */
  isMissed?: boolean;
};

export type EncodedCaptions = {
  /** The captions of all jobs before this one are in the store. */
  until: number;
  /** Texts that had to be encoded for it. */
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
  /** URL of the catalog that the first round was planned from; missing where an older version did not say. */
  catalog?: string;
  bundle: { name: string; digest: string };
  state: 'completed' | 'cancelled';
  /** ISO 8601: when this round began. */
  startedAt: string;
  lostShards: LostShard[];
};

export type WrittenManifest = {
  /** Object name of what this round came to. */
  manifest: string;
  totals: Totals;
  /** What the store kept from being replaced, for people; an older worker says nothing of it. */
  warnings?: string[];
};

export type WriteContactSheetInput = {
  store: string;
  batch: string;
  /** Images that the batch has. */
  total: number;
};

export type WriteSheetPageInput = { store: string; batch: string };

export type OrchestratorActivities = {
  planBatch(input: BatchInput): Promise<Plan>;
  readShard(input: ReadShardInput): Promise<JobSummary[]>;
  /** The shard's jobs, by index, that a filter on their rows finds. */
  matchJobs(input: MatchJobsInput): Promise<number[]>;
  /** The activities of the calling workflow that a worker has in hand: see inHandText. */
  activitiesInHand(): Promise<string[]>;
  /** How many workers have asked lately for texts to encode, or encode the calling workflow's. */
  encodersSeen(input: { encoder: string }): Promise<number>;
  writeReceipts(input: WriteReceiptsInput): Promise<void>;
  writeManifest(input: WriteManifestInput): Promise<WrittenManifest>;
  /** `null` where there is no image to show. */
  writeContactSheet(input: WriteContactSheetInput): Promise<string | null>;
  writeSheetPage(input: WriteSheetPageInput): Promise<string>;
  /** Of an earlier version's workflows; see MessageActivities. */
  postWebhook: MessageActivities['postWebhook'];
};

/** On queues of their own, by channel: see messageQueue. */
export type MessageActivities = {
  /** Posts the event itself, signed. */
  postWebhook(delivery: WebhookDelivery): Promise<void>;
  /** Tells people of it, in Slack, in Teams or by mail. */
  sendMessage(delivery: WebhookDelivery): Promise<void>;
};

export type EncodeActivities = {
  encodeCaptions(input: EncodeCaptionsInput): Promise<EncodedCaptions>;
};

export type RenderActivities = {
  renderImage(input: RenderImageInput): Promise<Receipt>;
};
