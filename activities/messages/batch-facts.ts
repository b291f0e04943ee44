import { costOf, costText, durationText } from '../../domain/amounts.ts';
import { changesText } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';
import { batchReport, type FailureGroup } from '../../records/batch-report.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { type BatchTime, batchTime } from '../../records/batch-time.ts';
import { plannedRates } from '../../records/rounds.ts';
import type { ObjectStore } from '../../store/index.ts';
import type { BatchEvent } from '../../workflows/contract/webhook.ts';
import type { Fact, FailedRows } from './message.ts';

/** What the event itself contains. */
export function countFacts({ totals, changes }: BatchEvent['data']): Fact[] {
  if (totals === undefined) return [];
  const { failed, cancelled } = totals;
  return [
    { label: 'Pictures', value: picturesText(totals) },
    ...(failed > 0 ? [{ label: 'Failed', value: String(failed) }] : []),
    ...(cancelled > 0 ? [{ label: 'Not begun', value: String(cancelled) }] : []),
    ...(changes === undefined ? [] : [{ label: 'Catalog', value: changesText(changes) }]),
  ];
}

/** `118 of 120, 18 of them reused` */
export const picturesText = ({ jobs, rendered, reused }: Omit<Totals, 'extraComputations'>): string =>
  `${rendered + reused} of ${jobs}${reused > 0 ? `, ${reused} of them reused` : ''}`;

/**
 * What `report` shows of a batch: its device time and cost, and why rows failed.
 *
 * @param costPerHour of one device, in whatever currency
 * @throws UserError, StoreUnavailable where its table cannot be read
 */
export async function reportFacts(
  store: ObjectStore,
  batch: string,
  costPerHour: number | undefined,
): Promise<{ facts: Fact[]; failures: FailedRows[] }> {
  const rows = await readBatchRows(store, batch);
  const time = batchTime(rows, await plannedRates(store, batch));
  return { facts: timeFacts(time, costPerHour), failures: batchReport(rows).failures.map(failedRows) };
}

function timeFacts({ deviceSeconds, plannedSeconds }: BatchTime, costPerHour: number | undefined): Fact[] {
  const beside = (text: (seconds: number) => string): string =>
    `${text(deviceSeconds)}${plannedSeconds === null ? '' : `, planned about ${text(plannedSeconds)}`}`;
  return [
    { label: 'Device time', value: beside(durationText) },
    ...(costPerHour === undefined
      ? []
      : [{ label: 'Cost', value: beside((seconds) => costText(costOf(seconds, costPerHour))) }]),
  ];
}

const failedRows = ({ error, reason, jobs, ids }: FailureGroup): FailedRows => ({
  what: `${jobs} × ${error}: ${reason}`,
  ids: `${ids.join(', ')}${jobs > ids.length ? ' …' : ''}`,
});
