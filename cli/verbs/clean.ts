import { Command, Option } from 'commander';
import { type CleanResult, cleanStore } from '../../client/index.ts';
import { shownPlace, storeUrl } from '../../store/index.ts';
import { LOG_INTERVAL_MS, note, printJson, printLine, table } from '../display/output.ts';
import { bytesText, count, timeText } from '../display/text.ts';
import { checkStoreExists } from '../existing-store.ts';
import { EXIT } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { span, wholeNumber } from '../options/values.ts';
import { clientIfAny } from '../with-client.ts';

const examples = `
Shows what would go, and removes it with --yes:
  batches      with --batches-older-than, unless they are running or a --keep rule matches them
  objects      images that no batch of the store needs, and that were not made or reused lately
  checkpoints  a week old     captions  30 days old     damaged  30 days old

Batches may run meanwhile. Files that the store refuses to delete (retention policy, hold) are counted and left. If a clean is
interrupted, run it again to finish. Files that pixart-batch did not name are never touched.

Examples:
  $ npx pixart-batch clean --store gs://my-bucket/images
  $ npx pixart-batch clean --store gs://my-bucket/images --batches-older-than 90d --keep-last 3 --keep 'spring-*'
  $ npx pixart-batch clean --store gs://my-bucket/images --batches-older-than 90d --keep-last 3 --keep 'spring-*' --yes
`;

export const cleanCommand = (): Command =>
  addServerOptions(new Command('clean'))
    .addOption(storeOption('the store: a folder or gs://bucket/prefix'))
    .addOption(userProjectOption())
    .addOption(
      new Option(
        '--batches-older-than <time>',
        'remove batches last written to before this long ago, such as 90d',
      ).argParser(span),
    )
    .addOption(
      new Option('--keep-last <n>', 'keep the newest n batches of each catalog, however old').argParser(
        wholeNumber(1, 100_000),
      ),
    )
    .option('--keep <id>', 'keep these batches, where * matches any characters; repeatable', collectText)
    .addOption(
      new Option('--objects-unused-for <time>', 'remove objects that no batch has needed for this long, at least 2d')
        .argParser(span)
        .default(7 * 86_400_000, '7d'),
    )
    .option('--yes', 'remove them')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(clean);

const collectText = (text: string, before: string[] = []): string[] => [...before, text];

type CleanOptions = ServerOptions &
  JsonOptions & {
    store: string;
    batchesOlderThan?: number;
    keepLast?: number;
    keep?: string[];
    objectsUnusedFor: number;
    yes?: true;
  };

async function clean(options: CleanOptions): Promise<void> {
  const {
    store,
    batchesOlderThan: batchesOlderThanMs,
    keepLast,
    keep = [],
    objectsUnusedFor: objectsUnusedForMs,
  } = options;
  checkStoreExists(store);
  const client = batchesOlderThanMs === undefined ? null : await clientIfAny(options);
  if (batchesOlderThanMs !== undefined && client === null) {
    note('no Temporal server says which batches are running: those whose last round has no manifest are kept');
  }
  const remove = options.yes === true;
  const signal = remove ? interruption() : undefined;
  const request = { store, batchesOlderThanMs, keepLast, keep, objectsUnusedForMs, remove, signal };
  const cleaned = await cleanStore(client, { ...request, onRemoved: countAloud(remove) });
  if (options.json) printJson({ store, removed: remove, asked: client?.address ?? null, ...cleaned });
  else printLine(describe(cleaned, options).join('\n'));
  if (signal?.aborted) process.exitCode = EXIT.interrupted;
  else if (cleaned.objectsLeft !== null || stuckIn(cleaned).length > 0) process.exitCode = EXIT.imagesMissing;
}

function countAloud(remove: boolean): () => void {
  let files = 0;
  let saidAt = performance.now();
  return () => {
    files += 1;
    if (performance.now() - saidAt < LOG_INTERVAL_MS) return;
    saidAt = performance.now();
    note(`${count(files, 'file')} ${remove ? 'removed' : 'to remove'} so far`);
  };
}

const BATCHES = 50;

/** Kinds of which the store refused to delete some files. */
const stuckIn = ({ counts }: CleanResult) => Object.entries(counts).filter(([, { kept }]) => kept > 0);

function describe(cleaned: CleanResult, { yes, store }: CleanOptions): string[] {
  const { counts, batches, kept, objectsLeft } = cleaned;
  const kinds = Object.entries(counts);
  const rows = kinds.map(([kind, { files, bytes }]) => [kind, files.toLocaleString('en'), bytesText(bytes)]);
  const files = kinds.reduce((sum, [, count]) => sum + count.files, 0);
  if (files === 0 && stuckIn(cleaned).length + kept.length === 0 && objectsLeft === null) {
    return [`nothing to remove in ${shownPlace(storeUrl(store))}`];
  }
  return [
    table([['', yes ? 'files removed' : 'files to remove', 'size'], ...rows]),
    ...section(
      yes ? 'batches removed:' : 'batches to remove:',
      batches.map(
        ({ batch, writtenAt, files, bytes }) =>
          `${batch}, last written to at ${timeText(writtenAt)}, ${count(files, 'file')}, ${bytesText(bytes)}`,
      ),
    ),
    ...section(
      'old enough, but kept:',
      kept.map(({ batch, why }) => `${batch}: ${why}`),
    ),
    ...stuckIn(cleaned).map(
      ([kind, { kept, keptWhy }]) => `${kind}: the store refuses to delete ${count(kept, 'file')}: ${keptWhy}`,
    ),
    ...(objectsLeft === null ? [] : [`objects were not checked: ${objectsLeft}`]),
    ...(yes || files === 0 ? [] : ['nothing was removed; to remove these files, repeat the command with --yes']),
  ];
}

const section = (head: string, lines: string[]): string[] =>
  lines.length === 0
    ? []
    : [
        head,
        ...lines.slice(0, BATCHES).map((line) => `  ${line}`),
        ...(lines.length > BATCHES ? [`  … and ${lines.length - BATCHES} more; --json has all`] : []),
      ];
