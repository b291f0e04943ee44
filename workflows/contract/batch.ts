import type { AtMost } from '../../domain/at-most.ts';
import type { BundleRef } from '../../domain/bundle-ref.ts';
import type { CatalogFormat, ExpansionSettings } from '../../domain/catalog-settings.ts';
import type { ImageFormat } from '../../domain/image-format.ts';
import type { Signed } from '../../domain/parameters.ts';
import type { Totals } from '../../domain/receipt.ts';
import type { Size } from '../../domain/size.ts';
import type { BatchState } from './progress.ts';

/** How a catalog's cells are read, and its pictures named. */
export type CatalogReading = {
  columns: Record<string, string>;
  /** Name of a workbook's sheet; default: the first that is not hidden. */
  sheet?: string | undefined;
  /** How choices in cells are expanded; default: braces have no special meaning. */
  expansion?: ExpansionSettings | undefined;
  /** A template for the names of the batch's own copies, applied when they are first planned; default: the row's id. */
  naming?: string | undefined;
};

/** Where rows come from: a catalog at a URL or, for a retry, the batch's rows without an image. */
export type CatalogSource =
  | ({ kind: 'catalog'; url: string; format: CatalogFormat } & CatalogReading)
  | {
      kind: 'retry';
      /** URL of the catalog that the first round was planned from. */
      catalog?: string;
      /** How the first round's catalog was read; missing from rounds that older versions started. */
      reading?: CatalogReading;
      /** Object name of a catalog whose rows replace those with the same ids. */
      corrected?: { name: string; format: CatalogFormat } & CatalogReading;
      /** Object name of a table of decisions; rows whose images it rejects are rendered again. */
      decisions?: string;
      /** Object name of a list of rows whose images were lost or damaged, and are rendered again unchanged. */
      again?: string;
    };

export type JobDefaults = {
  size: Size;
  format: ImageFormat;
  quality: number | null;
  /** Rows without a seed get a new one in every batch; default: a seed derived from the prompt alone. */
  seeds?: 'fresh' | undefined;
  /** Pictures above 1024 px are decoded in one piece; default: in tiles. */
  decode?: 'whole' | undefined;
  /** The batch's own copies are signed, with or without their prompts; default: they have the shared objects' bytes. */
  sign?: Signed | undefined;
};

/** The id from which seeds are derived besides the prompt; `undefined` if they are derived from the prompt alone. */
export const freshFor = ({ batch, defaults }: Pick<BatchInput, 'batch' | 'defaults'>): string | undefined =>
  defaults.seeds === 'fresh' ? batch : undefined;

export type BatchInput = {
  /** Its folder's name in the store, and part of the workflow's id. */
  batch: string;
  /** 1 when submitted; each retry adds one and fills the gaps in the same folder. */
  round: number;
  store: string;
  source: CatalogSource;
  bundle: BundleRef;
  defaults: JobDefaults;
  /** Images in flight at once, for each size. */
  window: number;
  /** The team that it belongs to: if teams compete for devices, the server shares them by weight. */
  team?: Team | undefined;
  /** More failures than this pause the batch; default: no limit. */
  maxFailures?: FailureBudget | undefined;
  /** Who receives a message when the batch ends or pauses itself: see `receiverOf`. */
  webhook?: string | undefined;
  /** The batch is refused if its first round would exceed this. */
  atMost?: AtMost | undefined;
  /** Name of the schedule that started it. */
  schedule?: string | undefined;
};

export type Team = { name: string; weight: number };

/** More failures than this pause a batch: a number, or a share of its jobs with a minimum for small batches. */
export type FailureBudget = { count: number } | { share: number; atLeast: number };

/** What a schedule starts: a batch whose id is the schedule's name and the scheduled time. */
export type ScheduledBatchInput = Omit<BatchInput, 'batch' | 'round' | 'schedule'> & { schedule: string };

/** What a listing shows of a batch without querying its workflow. */
export type BatchMemo = {
  batch: string;
  round: number;
  state: BatchState;
  /** URL of the catalog that the first round was planned from. */
  catalog: string;
  bundle: string;
  bundleDigest: string;
  /** Digest of the bundle's text encoder; missing from batches of earlier versions. */
  encoder?: string;
  store: string;
  /** Why it ended without a manifest; missing if it has one, is still running, or was ended by the server. */
  withoutManifest?: string;
};

export type BatchResult = {
  batch: string;
  totals: Totals;
  /** Object name of this round's manifest. */
  manifest: string;
  contactSheet: string | null;
  /** Id of the workflow that creates the review page; missing from batches that older versions ran. */
  sheetPage?: string;
  /** Problems that cost no image. */
  warnings?: string[];
};
