import type { ScheduleDescription } from '@temporalio/client';
import { shortDigest } from '../domain/bundle-ref.ts';
import { UserError } from '../domain/user-error.ts';
import { shownPlace } from '../store/index.ts';
import type { ScheduledBatchInput } from '../workflows/contract/batch.ts';
import type { CatalogInput } from './request.ts';
import { inputOf, type Overlap, overlapOf, toldOf } from './schedules.ts';

/** A schedule as its server stores it: what it starts, when, and with which policies. */
export type KeptSchedule = {
  input: Omit<CatalogInput, 'batch' | 'round'> & Pick<ScheduledBatchInput, 'schedule'>;
  /** In words, for people. */
  when: string;
  timeZone: string;
  overlap: Overlap;
  catchUpMs: number;
  jitterMs: number;
  pauseOnFailure: boolean;
};

/** @throws UserError if it starts something other than batches of a catalog, or cannot be read */
export function keptSchedule(name: string, description: ScheduleDescription): KeptSchedule {
  const input = inputOf(description);
  if (input === null || input.source.kind !== 'catalog') {
    throw new UserError(
      `schedule ${name}: expected one that starts batches of a catalog, found one that something else created`,
    );
  }
  const { when, timeZone } = toldOf(description);
  const { policies, spec } = description;
  return {
    input: { ...input, source: input.source },
    ...{ when, timeZone, overlap: overlapOf(description) },
    ...{ catchUpMs: policies.catchupWindow, jitterMs: spec.jitter ?? 0, pauseOnFailure: policies.pauseOnFailure },
  };
}

export type SettingValue = string | number | boolean | null | Readonly<Record<string, unknown>>;

/** A setting that a change affected. */
export type ChangedSetting = { setting: string; before: SettingValue; after: SettingValue };

/** The differences, in the order in which they are shown. `null` stands for a setting that is not set. */
export function differencesOf(before: KeptSchedule, after: KeptSchedule): ChangedSetting[] {
  const [old, now] = [settingsOf(before), settingsOf(after)];
  return Object.keys(now).flatMap((setting) => {
    const [was, is] = [old[setting] ?? null, now[setting] ?? null];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    const isSecret = setting === 'webhook';
    return [{ setting, before: isSecret ? withoutPath(was) : was, after: isSecret ? withoutPath(is) : is }];
  });
}

function settingsOf({ input, ...times }: KeptSchedule): Record<string, SettingValue | undefined> {
  const { source, store, bundle, defaults, window, team, maxFailures, webhook, atMost } = input;
  const { format: imageFormat, ...ofImages } = defaults;
  return {
    ...times,
    ...{ catalog: shownPlace(source.url), catalogFormat: source.format },
    ...{
      columns: Object.keys(source.columns).length === 0 ? null : source.columns,
      sheet: source.sheet,
      naming: source.naming,
    },
    ...{
      expansion: source.expansion,
      store: shownPlace(store),
      bundle: `${bundle.name} (${shortDigest(bundle.digest)})`,
    },
    ...{ imageFormat, size: ofImages.size, quality: ofImages.quality, seeds: ofImages.seeds },
    ...{ decode: ofImages.decode, sign: ofImages.sign, window, team, maxFailures, webhook },
    ...{ maxJobs: atMost?.images, maxCost: atMost?.cost?.amount, costPerHour: atMost?.cost?.perHour },
  };
}

const withoutPath = (value: SettingValue): SettingValue => (typeof value === 'string' ? shownReceiver(value) : value);

/** The receiver, as shown to people: anyone who has the full address of a webhook can post to it. */
export const shownReceiver = (webhook: string): string =>
  /^https?:/.test(webhook) ? `${new URL(webhook).origin}/…` : webhook;
