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

/** What a person asks for; the rest follows from it. */
export type BatchRequest = {
  /** A path, a `file:` URL or a `gs://` URL. */
  catalog: string;
  /** Where its name does not tell. */
  format?: CatalogFormat | undefined;
  /** Other names of our columns in this catalog: `{ prompt: 'Caption' }`. */
  columns?: Record<string, string> | undefined;
  /** Name of a workbook's sheet; the first that is not hidden where none is named. */
  sheet?: string | undefined;
  /** A folder, a `file:` URL or a `gs://bucket/prefix`. */
  store: string;
  /**
   * An installed bundle, or the `bundleRef` of one: no more of it is kept in Temporal. With the bundle itself, checking a catalog also
   * tells how its model reads the prompts.
   */
  bundle: BundleRef | Bundle;
  /**
   * For rows that do not say; the bundle's smallest size and PNG (or quality 90) where nothing is given. With `seeds: 'fresh'` rows
   * without a seed get another one in every batch, with `decode: 'whole'` pictures above 1024 px are not put together from tiles, and
   * with `sign` the batch's own copies carry Content Credentials, for which render workers need a key.
   */
  defaults?: Partial<JobDefaults> | undefined;
  /** Has choices in cells expanded: `{red|blue}`, `__colours__`, and `10|20` in the column `steps`. */
  expansion?: Partial<ExpansionSettings> | undefined;
  /**
   * The template of the names that the batch's own copies have in its folder, such as `{category}/{id}-{seed}.{ext}`: see docs/catalog.md. `{id}.{ext}`
   * unless given.
   */
  naming?: string | undefined;
  /** Images in flight at once, for each size; 64 unless given. More than the fleet renders at once costs nothing but history. */
  window?: number | undefined;
  /** Where teams wait for the same devices, the server shares these by weight. */
  team?: Team | undefined;
  /** More failures than this pause the batch; a tenth of its jobs, but at least 20, unless given. */
  maxFailures?: FailureBudget | undefined;
  /**
   * Who is told how the batch ends, and that it paused itself: an address, which gets events signed with the orchestrator's secret; `slack`,
   * `teams` or one of several such as `slack:art`, whose addresses the orchestrator has; or `mailto:` and addresses.
   */
  webhook?: string | undefined;
  /** A batch that would come to more is not started; not even one of unknown cost, where that is limited. */
  atMost?: AtMost | undefined;
};

export type CatalogInput = BatchInput & { source: Extract<CatalogSource, { kind: 'catalog' }> };

/** How a batch is run where nobody says otherwise. A few hopeless rows are usual; a tenth of a night is a broken worker. */
export const USUAL_SETTINGS: { window: number; maxFailures: FailureBudget } = {
  window: 64,
  maxFailures: { share: 0.1, atLeast: 20 },
};

/** @throws UserError where the request cannot be one of a batch */
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

/** `null` where the request has only a reference. */
export const installedBundle = ({ bundle }: BatchRequest): Bundle | null => ('folder' in bundle ? bundle : null);

/** @throws UserError where a batch cannot be run as a person asks */
export function checkRun({ window, team, webhook }: Pick<BatchRequest, 'window' | 'team' | 'webhook'>): void {
  // Without a place in the window no shard would ever start.
  const fault = window === undefined ? null : windowFault(window);
  if (fault !== null) throw new UserError(fault);
  if (team) checkTeam(team);
  if (webhook !== undefined) receiverOf(webhook);
}

/** A limit that is no number would be none. */
function checkLimits({ images, cost }: AtMost): void {
  if (images !== undefined && !(Number.isInteger(images) && images >= 0)) {
    throw new UserError(`most images: expected a whole number from 0 on, found ${images}`);
  }
  for (const [what, value] of Object.entries(cost ?? {})) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new UserError(`most it may cost, ${what}: expected a number from 0 on, found ${value}`);
  }
}

/** What Temporal takes as a fairness key and weight. */
function checkTeam({ name, weight }: Team): void {
  if (name === '' || Buffer.byteLength(name) > 64) {
    throw new UserError(`team: expected a name of 1 to 64 bytes, found ${JSON.stringify(name)}`);
  }
  if (!(weight >= 0.001 && weight <= 1000)) {
    throw new UserError(`weight: expected a number from 0.001 to 1000, found ${weight}`);
  }
}

/** An id that a person recognises in a list of batches: the catalog's name and the second it was submitted. */
export function newBatchId(catalog: string, now: Date): string {
  const file = catalog.slice(catalog.search(/[^/\\]*$/));
  const name = inAscii(file.replace(/\.[^.]*$/, ''))
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '');
  return batchIdAt(name.slice(0, 80) || 'batch', now);
}

/** Letters that are not put together of one of these and an accent. */
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

/** Latin letters without their accents: `Frühjahr` is `Fruhjahr`. Others stay as they are. */
const inAscii = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\0-\x7f]/gu, (letter) => LATIN.get(letter) ?? letter);

/** Files of terms lie in a folder beside the catalog, unless another is named. */
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
