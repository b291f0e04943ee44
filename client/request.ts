import type { AtMost } from '../domain/at-most.ts';
import { batchIdAt } from '../domain/batch-id.ts';
import type { BundleRef } from '../domain/bundle-ref.ts';
import { type CatalogFormat, catalogFormat, type ExpansionSettings, MAX_PER_ROW } from '../domain/catalog-settings.ts';
import { type ImageFormat, standardQuality } from '../domain/image-format.ts';
import { readTemplate } from '../domain/naming-template.ts';
import { receiverOf } from '../domain/receiver.ts';
import { UserError } from '../domain/user-error.ts';
import { type Bundle, bundleRef } from '../models/pixart/bundle.ts';
import { checkBatchId } from '../records/layout.ts';
import { storeUrl } from '../store/index.ts';
import type { BatchInput, CatalogSource, FailureBudget, JobDefaults, Team } from '../workflows/contract/batch.ts';
import { windowFault } from '../workflows/contract/control.ts';

/** A request for a batch; everything else follows from it. */
export type BatchRequest = {
  /** A path, a `file:` URL or a `gs://` URL. */
  catalog: string;
  /** Format of the catalog, if its name does not show it. */
  format?: CatalogFormat | undefined;
  /** Names that our columns have in this catalog: `{ prompt: 'Caption' }`. */
  columns?: Record<string, string> | undefined;
  /** Sheet of a workbook; default: the first that is not hidden. */
  sheet?: string | undefined;
  /** A folder, a `file:` URL or a `gs://bucket/prefix`. */
  store: string;
  /**
   * An installed bundle, or the `bundleRef` of one, which is all that Temporal stores. With the bundle itself, checking a
   * catalog also shows how its model reads the prompts.
   */
  bundle: BundleRef | Bundle;
  /**
   * Defaults for rows; if not given, the bundle's smallest size and PNG (quality 90 for other formats). With
   * `seeds: 'fresh'`, rows without a seed get a new one in every batch. With `decode: 'whole'`, images above 1024 px are not
   * decoded in tiles. With `sign`, the batch's own copies carry Content Credentials, for which render workers need a key.
   */
  defaults?: Partial<JobDefaults> | undefined;
  /** Expands choices in cells: `{red|blue}`, `__colours__`, and `10|20` in the column `steps`. */
  expansion?: Partial<ExpansionSettings> | undefined;
  /**
   * Template for the names of the batch's own copies, such as `{category}/{id}-{seed}.{ext}` (see docs/catalog.md);
   * default: `{id}.{ext}`.
   */
  naming?: string | undefined;
  /** Images in flight at once, per size; default: 64. More than the fleet renders at once only costs history. */
  window?: number | undefined;
  /** If teams wait for the same devices, the server shares the devices by weight. */
  team?: Team | undefined;
  /** More failures than this pause the batch; default: a tenth of its jobs, but at least 20. */
  maxFailures?: FailureBudget | undefined;
  /**
   * Receiver of messages when the batch ends or pauses itself: a URL, which gets events signed with the orchestrator's
   * secret; `slack`, `teams` or one of several such as `slack:art`, whose URLs the orchestrator has; or `mailto:` and addresses.
   */
  webhook?: string | undefined;
  /** A batch that would exceed these limits is not started, nor is one of unknown cost if the cost is limited. */
  atMost?: AtMost | undefined;
};

export type CatalogInput = BatchInput & { source: Extract<CatalogSource, { kind: 'catalog' }> };

/** How a batch runs by default. A few hopeless rows are normal; if a tenth fails, a worker is broken. */
export const USUAL_SETTINGS: { window: number; maxFailures: FailureBudget } = {
  window: 64,
  maxFailures: { share: 0.1, atLeast: 20 },
};

/** @throws UserError for an invalid request */
export function batchInput(request: BatchRequest, batch: string): CatalogInput {
  const { columns = {}, sheet, naming } = request;
  checkRun(request);
  if (request.atMost !== undefined) checkLimits(request.atMost);
  if (naming !== undefined) readTemplate(naming);
  const bundle = 'folder' in request.bundle ? bundleRef(request.bundle) : request.bundle;
  return {
    batch: checkBatchId(batch),
    round: 1,
    store: storeUrl(request.store),
    source: {
      kind: 'catalog',
      url: storeUrl(request.catalog),
      format: request.format ?? catalogFormat(request.catalog),
      columns,
      ...(sheet !== undefined && { sheet }),
      ...(naming !== undefined && { naming }),
      ...(request.expansion && { expansion: expansionSettings(request.expansion, storeUrl(request.catalog)) }),
    },
    bundle,
    defaults: jobDefaults(bundle, request.defaults ?? {}),
    window: request.window ?? USUAL_SETTINGS.window,
    team: request.team,
    maxFailures: request.maxFailures ?? USUAL_SETTINGS.maxFailures,
    webhook: request.webhook,
    ...(request.atMost !== undefined && { atMost: request.atMost }),
  };
}

/** `null` if the request has only a reference. */
export const installedBundle = ({ bundle }: BatchRequest): Bundle | null => ('folder' in bundle ? bundle : null);

/** @throws UserError if a batch cannot run as requested */
export function checkRun({ window, team, webhook }: Pick<BatchRequest, 'window' | 'team' | 'webhook'>): void {
  // With an empty window, no shard would ever start.
  const fault = window === undefined ? null : windowFault(window);
  if (fault !== null) throw new UserError(fault);
  if (team) checkTeam(team);
  if (webhook !== undefined) receiverOf(webhook);
}

/** A limit that is not a number would have no effect. */
function checkLimits({ images, cost }: AtMost): void {
  if (images !== undefined && !(Number.isInteger(images) && images >= 0)) {
    throw new UserError(`most images: expected a whole number from 0 on, found ${images}`);
  }
  for (const [what, value] of Object.entries(cost ?? {})) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new UserError(`most it may cost, ${what}: expected a number from 0 on, found ${value}`);
  }
}

/** What Temporal accepts as a fairness key and weight. */
function checkTeam({ name, weight }: Team): void {
  if (name === '' || Buffer.byteLength(name) > 64) {
    throw new UserError(`team: expected a name of 1 to 64 bytes, found ${JSON.stringify(name)}`);
  }
  if (!(weight >= 0.001 && weight <= 1000)) {
    throw new UserError(`weight: expected a number from 0.001 to 1000, found ${weight}`);
  }
}

/** A batch id that is easy to recognise in a list: the catalog's name and the second it was submitted. */
export function newBatchId(catalog: string, now: Date): string {
  const file = catalog.slice(catalog.search(/[^/\\]*$/));
  const name = inAscii(file.replace(/\.[^.]*$/, ''))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return batchIdAt(name.slice(0, 80) || 'batch', now);
}

/** Latin letters that do not decompose into an ASCII letter and an accent. */
const LATIN = new Map(
  Object.entries({
    ß: 'ss',
    æ: 'ae',
    Æ: 'Ae',
    œ: 'oe',
    Œ: 'Oe',
    ø: 'o',
    Ø: 'O',
    đ: 'd',
    Đ: 'D',
    ł: 'l',
    Ł: 'L',
    ı: 'i',
    þ: 'th',
    Þ: 'Th',
  }),
);

/** Removes accents from Latin letters: `Frühjahr` becomes `Fruhjahr`. Other letters stay as they are. */
const inAscii = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => LATIN.get(letter) ?? letter);

/** Terms files are in a folder next to the catalog, unless another is named. */
function expansionSettings(given: Partial<ExpansionSettings>, catalogUrl: string): ExpansionSettings {
  const terms =
    given.terms === undefined ? `${catalogUrl.slice(0, catalogUrl.lastIndexOf('/'))}/terms` : storeUrl(given.terms);
  const { sample = null, sampleSeed = 0, maxPerRow = MAX_PER_ROW } = given;
  return { terms, sample, sampleSeed, maxPerRow };
}

function jobDefaults(bundle: BundleRef, given: Partial<JobDefaults>): JobDefaults {
  const format: ImageFormat = given.format ?? 'png';
  const quality = given.quality ?? standardQuality(format);
  const size = given.size ?? bundle.sizes[0]!;
  const { seeds, decode, sign } = given;
  return {
    size,
    format,
    quality,
    ...(seeds !== undefined && { seeds }),
    ...(decode !== undefined && { decode }),
    ...(sign !== undefined && { sign }),
  };
}
