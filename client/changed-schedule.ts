import type { Duration } from '@temporalio/common';
import { msToNumber } from '@temporalio/common/lib/time.js';
import type { AtMost } from '../domain/at-most.ts';
import { type CatalogFormat, catalogFormat, checkDrawn, type ExpansionSettings } from '../domain/catalog-settings.ts';
import { knownTimeZone } from '../domain/time-zone.ts';
import { UserError } from '../domain/user-error.ts';
import { bundleRef } from '../models/pixart/bundle.ts';
import type { JobDefaults, Team } from '../workflows/contract/batch.ts';
import type { ScheduleRequest } from './create-schedule.ts';
import type { KeptSchedule } from './kept-schedule.ts';
import { type BatchRequest, batchInput } from './request.ts';
import { type CheckedTimes, changedTimes, checkedTimes, type TimesChange } from './schedule-times.ts';
import { checkPolicies, scheduledBatchId } from './schedules.ts';

type OrNull<Of> = { [Key in keyof Of]?: Of[Key] | null };

/**
 * Changes to a schedule. Settings that are absent stay as they are; `null` removes a setting. `defaults`, `expansion` and
 * `atMost` are merged, `columns` is replaced; the weight of a team may be changed alone.
 */
export type ScheduleChange = OrNull<
  Omit<ScheduleRequest, 'name' | 'when' | 'defaults' | 'expansion' | 'team' | 'atMost'>
> & {
  when?: TimesChange | null;
  defaults?: OrNull<JobDefaults>;
  expansion?: Partial<ExpansionSettings> | null;
  team?: Team | { weight: number } | null;
  atMost?: { images?: number | null; cost?: Partial<Cost> | null } | null;
};

/** The server's default (servers 1.29 and 1.32). */
const USUAL_CATCH_UP: Duration = '365 days';

/**
 * Applies changes to a schedule.
 *
 * @returns the schedule, and its times if they change
 * @throws UserError for changes that are impossible, or would never start anything
 */
export function changedSchedule(
  kept: KeptSchedule,
  change: ScheduleChange,
): { wanted: KeptSchedule; times: CheckedTimes | null } {
  if (change.when === null) throw new UserError('when: expected times at which batches start, found none');
  const times = change.when === undefined ? null : checkedTimes(changedTimes(kept.when, change.when));
  const { timeZone, overlap, catchUp, jitter, pauseOnFailure } = change;
  const wanted: KeptSchedule = {
    input: changedInput(kept.input, change),
    when: times?.text ?? kept.when,
    timeZone: timeZone === undefined ? kept.timeZone : knownTimeZone(timeZone ?? 'UTC'),
    overlap: overlap === undefined ? kept.overlap : (overlap ?? 'skip'),
    catchUpMs: catchUp === undefined ? kept.catchUpMs : msToNumber(catchUp ?? USUAL_CATCH_UP),
    jitterMs: jitter === undefined ? kept.jitterMs : msToNumber(jitter ?? 0),
    pauseOnFailure: pauseOnFailure === undefined ? kept.pauseOnFailure : (pauseOnFailure ?? false),
  };
  checkPolicies(wanted);
  return { wanted, times };
}

/**
 * How a batch runs, as opposed to what it makes. An earlier version may have stored none of these, which differs from
 * today's defaults.
 */
const RUN = ['window', 'team', 'maxFailures', 'webhook', 'atMost'] as const;

function changedInput(kept: KeptSchedule['input'], change: ScheduleChange): KeptSchedule['input'] {
  const { batch: _, round: __, ...input } = batchInput(changedRequest(kept, change), scheduledBatchId(kept.schedule));
  const stays = RUN.filter((key) => change[key] === undefined).map((key) => [key, kept[key]]);
  return { ...input, schedule: kept.schedule, ...Object.fromEntries(stays) };
}

/** Run settings that do not change are left out: they were checked when they were set. */
function changedRequest(kept: KeptSchedule['input'], change: ScheduleChange): BatchRequest {
  const { source } = kept;
  const format = changedFormat(source.format, change);
  return {
    catalog: change.catalog ?? source.url,
    format,
    // A list of prompts has no columns to map.
    columns: or(change.columns, format === 'txt' ? undefined : source.columns),
    sheet: or(change.sheet, format === 'xlsx' ? source.sheet : undefined),
    naming: or(change.naming, source.naming),
    expansion: changedExpansion(source, change),
    store: change.store ?? kept.store,
    bundle: change.bundle ?? kept.bundle,
    defaults: changedDefaults(kept.defaults, change),
    window: change.window ?? undefined,
    team: change.team ? changedTeam(kept.team, change.team) : undefined,
    maxFailures: change.maxFailures ?? undefined,
    webhook: change.webhook ?? undefined,
    atMost: change.atMost ? changedLimits(kept.atMost, change.atMost) : undefined,
  };
}

/** A new catalog's format follows from its name. */
const changedFormat = (before: CatalogFormat, { format, catalog }: ScheduleChange): CatalogFormat =>
  format ?? (catalog ? catalogFormat(catalog) : before);

function changedTeam(kept: Team | undefined, change: Team | { weight: number }): Team {
  if ('name' in change) return change;
  if (kept === undefined) throw new UserError('--weight: expected --team as well, found none');
  return { ...kept, ...change };
}

/** The new value if one is given, otherwise the old one. */
const or = <Value>(named: Value | null | undefined, before: Value | undefined): Value | undefined =>
  named === undefined ? before : (named ?? undefined);

/** Drops a size that the new bundle does not serve, and the quality if the format changes. */
function changedDefaults(kept: JobDefaults, { defaults = {}, bundle }: ScheduleChange): Partial<JobDefaults> {
  const { size, quality, ...others } = kept;
  const isOtherFormat = defaults.format !== undefined && defaults.format !== kept.format;
  const isSizeThere = !bundle || ('folder' in bundle ? bundleRef(bundle) : bundle).sizes.includes(size);
  const before = { ...others, ...(isSizeThere && { size }), ...(!isOtherFormat && { quality }) };
  const named = Object.entries({ ...before, ...defaults }).filter(([, value]) => value !== null && value !== undefined);
  const wanted: Partial<JobDefaults> = Object.fromEntries(named);
  if (defaults.quality != null && (wanted.format ?? 'png') === 'png') {
    throw new UserError('quality: expected the image format webp, avif or jpeg with it; png keeps every pixel');
  }
  return wanted;
}

/** If the terms were next to the old catalog, they are next to the new one. */
function changedExpansion(
  { url, expansion }: KeptSchedule['input']['source'],
  { expansion: change, catalog }: ScheduleChange,
): Partial<ExpansionSettings> | undefined {
  if (change === null) return undefined;
  checkDrawn({ sample: { ...expansion, ...change }.sample, sampleSeed: change?.sampleSeed });
  if (expansion === undefined) return change;
  const { terms, ...others } = expansion;
  const isBeside = terms === `${url.slice(0, url.lastIndexOf('/'))}/terms`;
  return { ...(catalog && isBeside ? others : expansion), ...change };
}

function changedLimits(kept: AtMost = {}, change: NonNullable<ScheduleChange['atMost']>): AtMost | undefined {
  const images = or(change.images, kept.images);
  const cost = change.cost ? wholeCost({ ...kept.cost, ...change.cost }) : or(change.cost, kept.cost);
  if (images === undefined && cost === undefined) return undefined;
  return { ...(images !== undefined && { images }), ...(cost !== undefined && { cost }) };
}

type Cost = NonNullable<AtMost['cost']>;

function wholeCost({ amount, perHour }: Partial<Cost>): Cost {
  if (amount !== undefined && perHour !== undefined) return { amount, perHour };
  throw new UserError(
    '--max-cost: expected --cost-per-hour as well, the price of one device per hour, found one of the two: give both. PIXART_COST_PER_HOUR ' +
      'applies only to new schedules',
  );
}
