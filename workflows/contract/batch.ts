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
  /** Name of a workbook's sheet; otherwise the first that is not hidden. */
  sheet?: string | undefined;
  /** How choices in cells are read; without it a brace is a brace. */
  expansion?: ExpansionSettings | undefined;
  /** A template that decides the names of the batch's own copies when they are planned first; otherwise they are called after the ids. */
  naming?: string | undefined;
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
      /** Object name of a list of rows whose images were lost or damaged, and are made again as they were. */
      again?: string;
    };

export type JobDefaults = {
  size: Size;
  format: ImageFormat;
  quality: number | null;
  /** Rows without a seed get another one in every batch; otherwise it follows from the prompt alone. */
  seeds?: 'fresh' | undefined;
  /** Pictures above 1024 px are decoded in one piece; otherwise in tiles. */
  decode?: 'whole' | undefined;
  /** The batch's own copies are signed, with or without their prompts; otherwise they are the shared objects' bytes. */
  sign?: Signed | undefined;
};

/** The id that the seeds of such rows follow from beside their prompts; `undefined` where they follow from these alone. */
export const freshFor = ({ batch, defaults }: Pick<BatchInput, 'batch' | 'defaults'>): string | undefined =>
  defaults.seeds === 'fresh' ? batch : undefined;

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
  /** Who is told how the batch ends, and that it paused itself: as `receiverOf` reads it. */
  webhook?: string | undefined;
  /** It is not planned where its first round would come to more. */
  atMost?: AtMost | undefined;
  /** Name of the schedule that has started it. */
  schedule?: string | undefined;
};

export type Team = { name: string; weight: number };

/** More failures than this pause a batch: a number, or a share of its jobs that small batches need not keep. */
export type FailureBudget = { count: number } | { share: number; atLeast: number };

/** What a schedule starts: a batch whose id is the schedule's name and the time it was due. */
export type ScheduledBatchInput = Omit<BatchInput, 'batch' | 'round' | 'schedule'> & { schedule: string };

/** What a listing shows of a batch without asking its workflow. */
export type BatchMemo = {
  batch: string;
  round: number;
  state: BatchState;
  /** URL of the catalog that the first round was planned from. */
  catalog: string;
  bundle: string;
  bundleDigest: string;
  /** Digest of the bundle's text encoder; batches of earlier versions do not say. */
  encoder?: string;
  store: string;
  /** Why it ended without a manifest; missing where it has one, still runs, or was ended by the server. */
  withoutManifest?: string;
};

export type BatchResult = {
  batch: string;
  totals: Totals;
  /** Object name of what this round came to. */
  manifest: string;
  contactSheet: string | null;
  /** Id of the workflow that makes the page to review the batch with; batches that older versions ran have none. */
  sheetPage?: string;
  /** What went otherwise than usual, and cost no image. */
  warnings?: string[];
};
