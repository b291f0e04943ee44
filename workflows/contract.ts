/** What the workflows, their activities and the people who start them agree on. Types and names only: workflows import it. */
import type { Totals } from '../catalog/receipt.ts';
import type { Size } from '../catalog/size.ts';

export const ORCHESTRATOR_QUEUE = 'orchestrate';

export const renderQueue = (size: Size): string => `render-${size}`;

export const batchWorkflowId = (batch: string): string => `batch/${batch}`;

/** What planning and render keys need to know of a bundle; its `bundle.json` tells the rest to the renderer. */
export type BundleRef = {
  name: string;
  /** SHA-256 of `bundle.json`. */
  digest: string;
  sizes: Size[];
  defaults: { steps: number; guidance: number };
};

/** Where rows come from: a catalog at a URL, or, for a retry, the failed rows that the batch's manifest lists. */
export type CatalogSource =
  | { kind: 'catalog'; url: string; format: 'csv' | 'tsv' | 'jsonl'; columns: Record<string, string> }
  | { kind: 'retry' };

export type JobDefaults = {
  size: Size;
  format: 'png' | 'webp' | 'avif' | 'jpeg';
  quality: number | null;
};

export type BatchInput = {
  /** Folder name in the store and part of the workflow's id. A schedule leaves it to the workflow, which takes the scheduled time. */
  batch: string;
  /** 1 when submitted; each retry adds one and fills the gaps in the same folder. */
  round: number;
  store: string;
  source: CatalogSource;
  bundle: BundleRef;
  defaults: JobDefaults;
  /** Images in flight at once, for each size. */
  window: number;
};

export type BatchState = 'planning' | 'rendering' | 'finishing' | 'completed' | 'cancelled';

export type SizeProgress = { jobs: number; rendered: number; reused: number; failed: number };

/** The answer to the `progress` query. */
export type BatchProgress = {
  batch: string;
  state: BatchState;
  totals: Totals;
  bySize: Partial<Record<Size, SizeProgress>>;
  /** The last few, newest first. */
  recentFailures: { id: string; reason: string }[];
};

/** One slice of the plan: all of one size. */
export type ShardRef = { shard: number; size: Size; jobs: number; name: string };

export type Plan = { jobs: number; shards: ShardRef[] };

export type BatchResult = { batch: string; totals: Totals; manifest: string; contactSheet: string | null };
