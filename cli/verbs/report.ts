import { Command } from 'commander';
import { oneLine } from '../../domain/printable.mjs';
import { type BatchReport, batchReport, type FailureGroup, type SizeReport } from '../../records/batch-report.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { newestManifest } from '../../records/manifest-files.ts';
import { openStore, storeUrl } from '../../store/index.ts';
import { printJson, printLine, table } from '../display/output.ts';
import { bytesText, durationText } from '../display/text.ts';
import { type JsonOptions, jsonOption, storeOption, userProjectOption } from '../options/common-options.ts';

const examples = `
Read from the store alone; no server is needed.

Examples:
  $ npx pixart-batch report spring-20260131T093000Z
  $ npx pixart-batch report spring-20260131T093000Z --store gs://my-bucket/images --json | jq .failures
`;

export const reportCommand = (): Command =>
  new Command('report')
    .description('what a batch that has ended took and why images are missing')
    .argument('<batch>')
    .addOption(storeOption())
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(report);

async function report(batch: string, options: JsonOptions & { store: string }): Promise<void> {
  const store = await openStore(storeUrl(options.store));
  const found = batchReport(await readBatchRows(store, batch));
  const { json: manifest } = await newestManifest(store, batch);
  if (options.json) printJson({ batch, manifest, ...found });
  else printLine(describe(batch, manifest, found));
}

const describe = (batch: string, manifest: string, { sizes, failures, slowest, thrifty }: BatchReport): string =>
  [
    `batch ${batch} (${manifest})`,
    table([HEADER, ...sizes.map(sizeRow)]),
    ...(slowest.length === 0
      ? []
      : [`slowest: ${slowest.map(({ id, seconds }) => `${id} (${durationText(seconds)})`).join(', ')}`]),
    ...thrifty.map(
      ({ thrift, jobs, ids }) =>
        `for want of memory made ${thrift}: ${jobs} (${ids.join(', ')}${jobs > ids.length ? ' …' : ''})`,
    ),
    ...(failures.length === 0 ? [] : ['failures:', ...failures.slice(0, GROUPS).map(failureText)]),
    ...(failures.length > GROUPS ? [`… and ${failures.length - GROUPS} other reasons; --json has all`] : []),
  ].join('\n');

const GROUPS = 10;

const HEADER = [
  ...['size', 'jobs', 'rendered', 'reused', 'failed', 'cancelled', 'device time', 'median', '95 %'],
  ...['text encode', 'denoise', 'decode', 'stored'],
];

const sizeRow = (of: SizeReport): string[] => [
  of.size,
  ...[of.jobs, of.rendered, of.reused, of.failed, of.cancelled].map(String),
  ...[of.deviceSeconds, of.median, of.p95].map((seconds) => (of.rendered === 0 ? '' : durationText(seconds))),
  ...[of.stages.textEncode, of.stages.denoise, of.stages.decode].map((share) =>
    of.rendered === 0 ? '' : `${Math.round(100 * share)} %`,
  ),
  bytesText(of.bytes),
];

const failureText = ({ error, reason, jobs, ids }: FailureGroup): string =>
  `  ${jobs} × ${oneLine(error)}: ${oneLine(reason)}\n    ${ids.join(', ')}${jobs > ids.length ? ' …' : ''}`;
