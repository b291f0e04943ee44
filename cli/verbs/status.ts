import { Command } from 'commander';
import {
  type BatchClient,
  type BatchListing,
  type BatchProgress,
  BatchUnknown,
  batchEnd,
  batchProgress,
  canTell,
  describeBatch,
  doneOf,
  type KeptBatch,
  keptBatch,
  NoOrchestrator,
  picturesInHand,
  retrying,
  type SizeProgress,
  waitingMessages,
  workersSeen,
} from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { endText, stateText } from '../../domain/state-text.ts';
import { UserError } from '../../domain/user-error.ts';
import { shownPlace, storeUrl } from '../../store/index.ts';
import { inHandText } from '../display/in-hand-text.ts';
import { type Messages, messageNotes } from '../display/message-text.ts';
import { note, printJson, printLine, table } from '../display/output.ts';
import { outcomeText, totalsText } from '../display/progress-text.ts';
import { count, timeText, zoneHeading } from '../display/text.ts';
import { waitingText } from '../display/waiting-text.ts';
import { withoutManifest } from '../display/without-manifest.ts';
import { askForWorkers, openSizes, workersOf } from '../display/worker-watch.ts';
import { EXIT, ServerUnusable } from '../exit-codes.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Examples:
  $ npx pixart-batch status catalog-20260131T093000Z
  $ npx pixart-batch status catalog-20260131T093000Z --json | jq .progress.totals.failed
`;

export const statusCommand = (): Command =>
  addServerOptions(new Command('status'))
    .argument('<batch>')
    .addOption(storeOption('store of a batch that the server has forgotten'))
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(status);

type StatusOptions = ServerOptions & JsonOptions & { store: string };

async function status(batch: string, options: StatusOptions): Promise<void> {
  try {
    await tellStatus(batch, options);
  } catch (error) {
    if (!(error instanceof ServerUnusable)) throw error;
    await tellWithoutServer(error, batch, options);
  }
}

/** An ended batch can be shown without a server. @throws the given error if the store does not know the batch either */
async function tellWithoutServer(error: ServerUnusable, batch: string, options: StatusOptions): Promise<void> {
  const kept = await keptBatch(options.store, batch);
  if (kept === null) throw new ServerUnusable(`${error.message}\n${nothingIn(options.store)}`);
  note(`${error.message}\nThis is what its store says; "npx pixart-batch report ${batch}" shows more`);
  tell(kept, options);
  if (kept.state === 'unfinished') process.exitCode = EXIT.unreachable;
}

const nothingIn = (store: string): string => `Nothing of it is in ${shownPlace(storeUrl(store))}`;

async function tellStatus(batch: string, options: StatusOptions): Promise<void> {
  await withClient(options, async (client) => {
    const listing = await describeBatch(client, batch).catch((error) => tellKept(error, batch, options));
    if (listing === null) return;
    const progress = await batchProgress(client, batch).catch((error) => {
      if (!(error instanceof NoOrchestrator)) throw error;
      note(error.message);
      return null;
    });
    const reason = await failureOf(client, listing);
    const runs = listing.endedAt === null;
    const [again, inHand] = runs
      ? await Promise.all([retrying(client, batch), picturesInHand(client, batch)])
      : [[], []];
    const messages = progress?.tells === undefined ? null : await messagesOf(client, batch, progress.tells);
    const open = runs && progress !== null ? openSizes(progress) : [];
    if (options.json) {
      const workers = open.length > 0 && { workers: await workersSeen(client, batch, open).catch(() => null) };
      return printJson({
        ...withCurrentCounts(listing, progress),
        ...(reason !== null && { reason }),
        progress,
        retrying: again,
        inHand,
        ...workers,
        ...(messages !== null && { messages }),
      });
    }
    const lack = await askForWorkers(open, workersOf(client, batch));
    const waiting = again.map((of) => `  ${waitingText(of, new Date())}`);
    const painted = inHandText(inHand).map((line) => `  ${line}`);
    const lines = [headline(listing, progress, reason), details(listing, progress), ...waiting, ...painted];
    const silence = messages === null ? [] : messageNotes(messages);
    const notes = [...withoutManifest(listing, reason), ...(progress?.warnings ?? []), ...lack, ...silence];
    lines.push(...notes.map((line) => `  ${oneLine(line)}`));
    printLine([...lines, ...failures(progress)].join('\n'));
  });
}

/** A listing's own counts lag behind those of its progress, which are printed beside them. */
export function withCurrentCounts(listing: BatchListing, progress: BatchProgress | null): BatchListing {
  if (progress === null) return listing;
  const { jobs, rendered, reused, failed } = progress.totals;
  return { ...listing, total: jobs, done: rendered + reused, failed };
}

/** Messages are extra information: if they are unknown, they are left out. */
async function messagesOf(client: BatchClient, batch: string, tells: string): Promise<Messages | null> {
  try {
    const [isHeard, waiting] = await Promise.all([canTell(client, tells), waitingMessages(client, batch)]);
    return { tells, canTell: isHeard, waiting };
  } catch {
    return null;
  }
}

/** Shows what the store knows of a batch that the server has forgotten. @throws the given error if that is nothing */
async function tellKept(error: unknown, batch: string, options: StatusOptions): Promise<null> {
  if (!(error instanceof BatchUnknown)) throw error;
  const kept = await keptBatch(options.store, batch);
  if (kept === null) throw new UserError(`${error.message}. ${nothingIn(options.store)}`);
  note('the Temporal server does not know the batch, or has forgotten it; this is what its store says');
  tell(kept, options);
  return null;
}

function tell(kept: KeptBatch, { json }: JsonOptions): void {
  if (json) printJson({ ...kept, progress: null, retrying: [], inHand: [] });
  else printLine(keptText(kept));
}

function keptText({ batch, store, round, state, bundle, totals, startedAt, endedAt }: KeptBatch): string {
  const lacksManifest = `round ${round} has no manifest; unless it is running on another server, "retry ${batch}" writes it`;
  const counts = totals === null ? [] : [totalsText(totals)];
  return [
    `batch ${batch} ${totals === null ? state : endText(state, totals)}: ${state === 'unfinished' ? lacksManifest : counts.join('')}`,
    table([
      ...(state === 'unfinished' ? counts.map((text) => ['  before it', text]) : []),
      ['  store', shownPlace(store)],
      ...(bundle === null ? [] : [['  bundle', bundle]]),
      ['  round', String(round)],
      ...(startedAt === null || endedAt === null
        ? []
        : [
            [zoneHeading('  started'), timeText(startedAt)],
            [zoneHeading('  ended'), timeText(endedAt)],
          ]),
    ]),
  ].join('\n');
}

/** Why a whole batch failed: it could not be planned, or someone terminated it. */
async function failureOf(client: BatchClient, { batch, state }: BatchListing): Promise<string | null> {
  if (state !== 'failed' && state !== 'refused' && state !== 'terminated') return null;
  const end = await batchEnd(client, batch);
  return end.state === 'failed' ? end.reason : null;
}

/** Without an orchestrator, only the server's own counts are known, which lag by a few images. */
function headline(
  { batch, state, total, done, failed }: BatchListing,
  progress: BatchProgress | null,
  reason: string | null,
): string {
  const counts = progress === null ? `${total} jobs, ${done} done, ${failed} failed` : totalsText(progress.totals);
  const shown = progress === null ? stateText(state, failed) : endText(state, progress.totals);
  const paused = state === 'paused' && progress?.paused !== undefined ? `, ${oneLine(progress.paused)}` : '';
  return `batch ${batch} ${shown}: ${reason ?? counts}${paused}`;
}

function details({ round, catalog, store, bundle, startedAt, endedAt }: BatchListing, progress: BatchProgress | null) {
  const sizes = Object.entries(progress?.bySize ?? {}).map(([size, counts]) => [
    `  ${size} px`,
    sizeText(counts, endedAt !== null),
  ]);
  return table([
    ...sizes,
    ['  catalog', shownPlace(catalog)],
    ['  store', shownPlace(store)],
    ['  bundle', bundle],
    ['  round', String(round)],
    [zoneHeading(round === 1 ? '  started' : '  round began'), timeText(startedAt)],
    ...(endedAt === null ? [] : [[zoneHeading('  ended'), timeText(endedAt)]]),
  ]);
}

/** Jobs without an outcome were cancelled if the batch has ended. */
function sizeText(counts: SizeProgress, hasEnded: boolean): string {
  const cancelled = hasEnded ? counts.jobs - doneOf(counts) : 0;
  return `${count(counts.jobs, 'job')}, ${outcomeText({ ...counts, cancelled })}`;
}

const failures = (progress: BatchProgress | null): string[] =>
  (progress?.recentFailures ?? []).map(({ id, reason }) => `  ${id}: ${oneLine(reason)}`);
