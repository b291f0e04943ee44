import { Command } from 'commander';
import { type Forgotten, forget, type RowFilter } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { openBundle } from '../../models/pixart/bundle.ts';
import { bundleFolder } from '../../models/pixart/installed-bundles.ts';
import { shownPlace, storeKind, storeUrl } from '../../store/index.ts';
import { printJson, printLine } from '../display/output.ts';
import { type StepDisplay, stepDisplay } from '../display/step-display.ts';
import { count } from '../display/text.ts';
import { checkStoreExists } from '../existing-store.ts';
import { EXIT } from '../exit-codes.ts';
import { whereOption } from '../options/batch-options.ts';
import {
  addServerOptions,
  bundleOption,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  scratchOption,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Forgets a whole batch, or the rows that a --where matches, in all batches of the store or in one: prompts, images and every record of
them in the store, and the histories of their batches on the Temporal server. Other rows of these batches stay, and "verify", "report"
and "retry" read them from the store. Images that another batch needs stay too, and are listed. A running batch is refused: cancel it first.
Without --yes nothing is changed, and what would go is counted. With --yes it cannot be undone. If it is killed, or something is left (exit
code 3), run it again to finish. docs/operations.md lists what it cannot reach: exported files, backups, object versions, logs, archives.

Examples:
  $ npx pixart-batch forget spring-20260131T093000Z
  $ npx pixart-batch forget spring-20260131T093000Z --yes
  $ npx pixart-batch forget --where customer=acme --store gs://my-bucket/images
  $ npx pixart-batch forget --where "person=Ada *" --store gs://my-bucket/images --yes --json
`;

export const forgetCommand = (): Command =>
  addServerOptions(new Command('forget'))
    .argument('[batch]')
    .addOption(whereOption())
    .option('--yes', 'forget them; without it, only count what would go')
    .addOption(storeOption())
    .addOption(scratchOption())
    .addOption(bundleOption())
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(forgetPrompts);

type ForgetOptions = ServerOptions &
  JsonOptions & { where?: RowFilter[]; yes?: true; store: string; scratch?: string; bundle?: string };

async function forgetPrompts(batch: string | undefined, options: ForgetOptions): Promise<void> {
  const { where, yes: apply, store, scratch } = options;
  // The server may still remember a batch whose store is gone.
  if (batch === undefined) checkStoreExists(store);
  const bundle = options.bundle === undefined ? undefined : await openBundle(await bundleFolder(options.bundle));
  let display: StepDisplay | undefined;
  const onStep = (done: number, steps: number): void => {
    display ??= stepDisplay(steps, { what: 'object' });
    display.show(done);
  };
  const told = await withClient(options, (client) =>
    forget(client, { store, batch, where, scratch, bundle, apply, onStep }).finally(() => display?.end()),
  );
  if (options.json) printJson(told);
  else
    printLine(
      textOf(told, batch, options)
        .map((line) => oneLine(line))
        .join('\n'),
    );
  if (told.left.length > 0) process.exitCode = EXIT.imagesMissing;
  else if (isNothing(told) && unknownColumns(told, where).length > 0) process.exitCode = EXIT.badInput;
}

const LINES = 20;

function textOf(told: Forgotten, batch: string | undefined, options: ForgetOptions): string[] {
  const place = shownPlace(storeUrl(options.store));
  if (isNothing(told)) return [nothingText(told, batch, options, place), ...leftText(told)];
  return [
    ...told.batches.map(batchText),
    `${told.isApplied ? 'gone' : 'would go'} from ${place}: ${removedText(told)}`,
    ...(told.rewritten === 0 ? [] : [`  rewritten without these rows: ${count(told.rewritten, 'record')}`]),
    ...(told.changes === 0 ? [] : [`  ${count(told.changes, 'line')} of other batches' changes.csv`]),
    ...told.elsewhere.map((name) => `  all of ${name}, which a retry was given and which contains that value`),
    `${told.isApplied ? 'gone' : 'would go'} from the server: ${told.histories === 1 ? '1 history' : `${told.histories} histories`}`,
    ...told.neededBy.map(
      (by) => `stays: ${count(by.pictures, 'image')} that batch ${by.batch} needs, with the prompt in the file`,
    ),
    ...told.samePrompt.map((by) => `stays: ${count(by.rows, 'row')} of batch ${by.batch} with one of these prompts`),
    ...told.schedules.map(scheduleText),
    ...told.archives.map((uri) => `stays: what the namespace has archived at ${uri}`),
    ...(storeKind(storeUrl(options.store)) === 'bucket' ? [BUCKET] : []),
    EXPORTS,
    ...told.warnings,
    ...leftText(told),
    ...(told.isApplied ? [] : ['nothing has been changed; --yes does it, and cannot be undone']),
  ];
}

const EXPORTS =
  'stays: files that "export" wrote elsewhere; delete them, and their lines in export.json there, by hand';

const BUCKET =
  'a bucket with soft delete or Object Versioning keeps deleted objects for a while: docs/operations.md says how to stop that';

const isNothing = ({ batches, removed, changes, histories }: Forgotten): boolean =>
  batches.every(({ rows }) => rows === 0) &&
  Object.values(removed).every((objects) => objects === 0) &&
  changes + histories === 0;

/** Columns that no row of the store has: probably misspelt. */
const unknownColumns = ({ columns }: Forgotten, where: readonly RowFilter[] = []): string[] =>
  where
    .map(({ column }) => column)
    .filter((column) => columns.length > 0 && !columns.some((name) => name.normalize() === column.normalize()));

function nothingText(told: Forgotten, batch: string | undefined, { where = [] }: ForgetOptions, place: string): string {
  const of = batch === undefined ? '' : ` of batch ${batch}`;
  if (where.length === 0) {
    const why = batch === undefined ? '' : ': it has been removed already ("npx pixart-batch audit" shows when)';
    return `nothing${of} is in ${place} or on the server${why}`;
  }
  const unknown = unknownColumns(told, where);
  const hint = unknown.length === 0 ? '' : `; no row has a column ${unknown.join(' or ')}`;
  return `no row${of} in ${place} has ${where.map(({ column, pattern }) => `${column}=${pattern}`).join(' or ')}${hint}`;
}

const batchText = ({ batch, rows, others }: Forgotten['batches'][number]): string =>
  others === 0
    ? `batch ${batch}: all of it, ${count(rows, 'row')}`
    : `batch ${batch}: ${rows} of ${rows + others} rows`;

const removedText = ({ removed }: Forgotten): string => {
  const parts = Object.entries(removed).filter(([, objects]) => objects > 0);
  return parts.map(([kind, objects]) => kindText(kind, objects)).join(', ') || 'nothing';
};

function kindText(kind: string, objects: number): string {
  const words = kind === 'pictures' ? 'images' : kind;
  return `${objects} ${objects === 1 ? singular(words) : words}`;
}

const singular = (kind: string): string => (kind === 'copies' ? 'copy' : kind.replace(/s$/, ''));

const scheduleText = ({ name, catalog }: Forgotten['schedules'][number]): string =>
  `schedule ${name} will read ${shownPlace(catalog)} again when it is due: remove the rows from it`;

const leftText = ({ left }: Forgotten): string[] => [
  ...left.slice(0, LINES).map(({ name, why }) => `still there: ${name}: ${why}`),
  ...(left.length > LINES ? [`… and ${left.length - LINES} more; --json has all`] : []),
];
