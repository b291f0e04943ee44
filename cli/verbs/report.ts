import { Command } from 'commander';
import { costOf, costText, durationText } from '../../domain/amounts.ts';
import { oneLine } from '../../domain/printable.mjs';
import { type BatchReport, batchReport, type FailureGroup, type SizeReport } from '../../records/batch-report.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { type BatchTime, batchTime } from '../../records/batch-time.ts';
import { orWarn } from '../../records/damaged.ts';
import { newestManifest } from '../../records/manifest-files.ts';
import { plannedRates } from '../../records/rounds.ts';
import { openStore, storeUrl } from '../../store/index.ts';
import { note, printJson, printLine, table, wrapped } from '../display/output.ts';
import { bytesText } from '../display/text.ts';
import { costOption } from '../options/batch-options.ts';
import { type JsonOptions, jsonOption, storeOption, userProjectOption } from '../options/common-options.ts';

const examples = `
Reads only the store; no server is needed.

Examples:
  $ npx pixart-batch report spring-20260131T093000Z
  $ npx pixart-batch report spring-20260131T093000Z --cost-per-hour 2.5     # compared with the plan
  $ npx pixart-batch report spring-20260131T093000Z --store gs://my-bucket/images --json | jq .failures
`;

export const reportCommand = (): Command =>
  new Command('report')
    .argument('<batch>')
    .addOption(storeOption())
    .addOption(userProjectOption())
    .addOption(costOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(report);

type ReportOptions = JsonOptions & { store: string; costPerHour?: number };

async function report(batch: string, options: ReportOptions): Promise<void> {
  const store = await openStore(storeUrl(options.store));
  const rows = await readBatchRows(store, batch);
  const found = batchReport(rows);
  const { json: manifest } = await newestManifest(store, batch);
  const rates = await orWarn(note, 'the planned time is unknown', () => plannedRates(store, batch));
  const time = batchTime(rows, rates);
  if (options.json) printJson({ batch, manifest, ...found, time, cost: batchCosts(time, options) ?? undefined });
  else printLine(describe(batch, manifest, found, timeText(time, options)));
}

/** In the currency of the rate; `null` if none was given. */
function batchCosts({ deviceSeconds, plannedSeconds }: BatchTime, { costPerHour }: ReportOptions) {
  if (costPerHour === undefined) return null;
  return {
    spent: costOf(deviceSeconds, costPerHour),
    planned: plannedSeconds === null ? null : costOf(plannedSeconds, costPerHour),
  };
}

/** `device time: 1 h 2 min, planned about 58 min; cost: 2.58, planned about 2.42` */
function timeText(time: BatchTime, options: ReportOptions): string {
  const costs = batchCosts(time, options);
  const beside = (planned: string | null): string =>
    planned === null ? 'no batch had measured it at the time of the plan' : `planned about ${planned}`;
  const plannedTime = time.plannedSeconds === null ? null : durationText(time.plannedSeconds);
  const plannedCost = costs === null || costs.planned === null ? '' : `, planned about ${costText(costs.planned)}`;
  return [
    `device time: ${durationText(time.deviceSeconds)}, ${beside(plannedTime)}`,
    ...(costs === null ? [] : [`cost: ${costText(costs.spent)}${plannedCost}`]),
  ].join('; ');
}

const describe = (
  batch: string,
  manifest: string,
  { sizes, failures, slowest, thrifty }: BatchReport,
  time: string,
): string =>
  [
    wrapped(`batch ${batch} (${manifest})`),
    table(turned([HEADER, ...sizes.map(sizeCells)])),
    wrapped(time),
    ...(slowest.length === 0
      ? []
      : [wrapped(`slowest: ${slowest.map(({ id, seconds }) => `${id} (${durationText(seconds)})`).join(', ')}`, '  ')]),
    ...thrifty.map(({ thrift, jobs, ids }) =>
      wrapped(`made ${thrift} for lack of memory: ${jobs} (${ids.join(', ')}${jobs > ids.length ? ' …' : ''})`, '  '),
    ),
    ...(failures.length === 0 ? [] : ['failures:', ...failures.slice(0, GROUPS).flatMap(failureLines)]),
    ...(failures.length > GROUPS ? [`… and ${failures.length - GROUPS} other reasons; --json has all`] : []),
  ].join('\n');

const GROUPS = 10;

const HEADER = [
  ...['size', 'jobs', 'rendered', 'reused', 'failed', 'cancelled', 'device time', 'median', '95 %'],
  ...['text encode', 'denoise', 'decode', 'stored'],
];

const sizeCells = (of: SizeReport): string[] => [
  of.size,
  ...[of.jobs, of.rendered, of.reused, of.failed, of.cancelled].map(String),
  ...[of.deviceSeconds, of.median, of.p95].map((seconds) => (of.rendered === 0 ? '' : durationText(seconds))),
  ...[of.stages.textEncode, of.stages.denoise, of.stages.decode].map((share) =>
    of.rendered === 0 ? '' : `${Math.round(100 * share)} %`,
  ),
  bytesText(of.bytes),
];

/** One column per size: there are only five, but each has more values than fit on a line. */
const turned = (rows: readonly string[][]): string[][] => rows[0]!.map((_, column) => rows.map((row) => row[column]!));

const failureLines = ({ error, reason, jobs, ids }: FailureGroup): string[] => [
  wrapped(`  ${jobs} × ${oneLine(error)}: ${oneLine(reason)}`, '    '),
  wrapped(`    ${ids.join(', ')}${jobs > ids.length ? ' …' : ''}`, '    '),
];
