import { Command, Option } from 'commander';
import { type AuditEntry, readAudit } from '../../client/index.ts';
import { note, printJson, printLine, table } from '../display/output.ts';
import { utcText } from '../display/text.ts';
import { checkStoreExists } from '../existing-store.ts';
import { type JsonOptions, jsonOption, storeOption, userProjectOption } from '../options/common-options.ts';
import { calendarDay } from '../options/values.ts';

const examples = `
Reads only the store; no server is needed. Days are in UTC. "who" is what the operating system reports, which proves nothing: for a
bucket, Cloud Audit Logs record who wrote each object. With --json, each line also has the time at which the store received it, by
the store's own clock, and details are whole.

Examples:
  $ npx pixart-batch audit
  $ npx pixart-batch audit --batch spring-20260131T093000Z
  $ npx pixart-batch audit --store gs://my-bucket/images --since 2026-01-01 --until 2026-01-31 --json
`;

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

export const auditCommand = (): Command =>
  new Command('audit')
    .addOption(storeOption('store to read: a folder or gs://bucket/prefix'))
    .addOption(
      new Option('--since <day>', `first day to show; default: ${DEFAULT_DAYS} days ago`).argParser(calendarDay),
    )
    .addOption(new Option('--until <day>', 'last day to show').argParser(calendarDay))
    .option('--batch <id>', 'show only this batch, including what removed it among others')
    .option('--schedule <name>', 'show only this schedule')
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(audit);

type AuditOptions = JsonOptions & {
  store: string;
  since?: string;
  until?: string;
  batch?: string;
  schedule?: string;
};

async function audit({ store, json, until, batch, schedule, ...options }: AuditOptions): Promise<void> {
  checkStoreExists(store);
  const since = options.since ?? new Date(Date.now() - DEFAULT_DAYS * DAY_MS).toISOString().slice(0, 10);
  const rows: string[][] = [];
  for await (const entry of readAudit(store, { since, until, batch, schedule }, note)) {
    if (json) printJson(entry);
    else rows.push(row(entry));
  }
  if (json) return;
  if (rows.length === 0) return note(`no audit lines in ${store} since ${since}`);
  printLine(table([['asked (UTC)', 'who', 'what', 'of', 'outcome', 'details'], ...rows]));
}

const row = ({ at, who, action, batch, schedule, details, ended }: AuditEntry): string[] => [
  utcText(new Date(at)),
  `${who.user}@${who.host}${who.account === undefined ? '' : ` (${who.account})`}`,
  action,
  batch ?? (schedule === undefined ? '' : `schedule ${schedule}`),
  ended === null ? 'unknown' : [ended.outcome, ...(ended.error === undefined ? [] : [`(${ended.error})`])].join(' '),
  Object.entries({ ...details, ...ended?.details })
    .map(([name, value]) => `${name}=${shortened(String(value))}`)
    .join(' '),
];

/** A line names every batch that was removed, which may be thousands. */
const DETAIL_CHARACTERS = 200;

const shortened = (text: string): string =>
  text.length <= DETAIL_CHARACTERS ? text : `${text.slice(0, DETAIL_CHARACTERS)}…`;
