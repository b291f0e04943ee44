import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type BatchClient,
  type BatchEnd,
  type BatchProgress,
  type BatchResult,
  batchProgress,
  describeBatch,
  NoOrchestrator,
  reviewPage,
  reviewPageEnd,
} from '../../client/index.ts';
import { changesText } from '../../domain/change-counts.ts';
import { oneLine } from '../../domain/printable.mjs';
import { endText, isAllMade } from '../../domain/state-text.ts';
import { batchFolder, contactSheetPageName, manifestName } from '../../records/layout.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { serverHint } from '../server-choice.ts';
import { printJson, printLine, table } from './output.ts';
import { totalsText } from './progress-text.ts';
import { withoutManifest } from './without-manifest.ts';

/**
 * Prints how a batch ended and where its results are. The exit code says whether all its images and the manifest are there.
 *
 * @param last its last known progress; queried again if that is from before the end
 */
export async function tellEnd(
  client: BatchClient,
  batch: string,
  end: BatchEnd,
  json: boolean,
  last?: BatchProgress,
): Promise<ExitCode> {
  const [listing, page, progress] = await Promise.all([
    describeBatch(client, batch),
    end.state === 'failed' ? null : pageSoon(client, end.state === 'completed' ? end.result : end),
    // Querying an ended workflow replays it, so avoid that if possible.
    last?.state === end.state || end.state === 'failed' ? last : endedProgress(client, batch, end),
  ]);
  if (end.state === 'failed') {
    const { state, reason } = end;
    if (json) printJson({ batch, state, reason, manifest: null });
    else printLine([`batch ${batch} failed: ${reason}`, ...withoutManifest(listing, reason)].join('\n'));
    return EXIT.imagesMissing;
  }
  const { totals, changes, warnings, manifest = manifestName(batch), recentFailures } = progress!;
  const isManifestThere = listing.withoutManifest === null;
  const cancelled = { batch, manifest: isManifestThere ? manifest : null, contactSheet: null };
  const result: Result = end.state === 'completed' ? end.result : { ...cancelled, ...end };
  const results = resultPlaces(listing.store, result, page, !json);
  if (json) {
    const reason = isManifestThere ? {} : { manifest: null, withoutManifest: listing.withoutManifest };
    printJson({
      batch,
      state: end.state,
      totals,
      changes,
      warnings,
      ...results,
      isPageThere: page !== null,
      ...reason,
    });
  } else {
    printLine(`batch ${batch} ${endText(end.state, totals)}: ${totalsText(totals)}`);
    if (changes !== undefined) printLine(`  ${changesText(changes)} (changes.csv in its folder)`);
    for (const warning of warnings ?? []) printLine(`  ${oneLine(warning)}`);
    for (const { id, reason } of recentFailures) printLine(`  ${id}: ${oneLine(reason)}`);
    if (isManifestThere && totals.failed > recentFailures.length) printLine('  … the manifest lists all failures');
    const state = (what: string): string => (what === 'contactSheetPage' && page === null ? ' (still being made)' : '');
    printLine(table(Object.entries(results).map(([what, where]) => [`  ${words[what]}`, `${where}${state(what)}`])));
    if (!isManifestThere) printLine(withoutManifest(listing).join('\n'));
    else if (totals.failed + totals.cancelled > 0)
      printLine(`render the missing images with:\n  npx pixart-batch retry ${batch}${serverHint(client)}`);
  }
  const lacksNothing = end.state === 'completed' ? totals.failed + totals.cancelled === 0 : isAllMade(totals);
  const isWhole = lacksNothing && isManifestThere;
  return isWhole ? EXIT.ok : EXIT.imagesMissing;
}

/** Progress of an ended batch. If no orchestrator of its version is left, the result of a completed batch is enough. */
async function endedProgress(client: BatchClient, batch: string, end: BatchEnd): Promise<EndedProgress> {
  try {
    return await batchProgress(client, batch);
  } catch (error) {
    if (!(error instanceof NoOrchestrator) || end.state !== 'completed') throw error;
    return { ...end.result, recentFailures: [] };
  }
}

type EndedProgress = Pick<BatchProgress, 'totals' | 'changes' | 'warnings' | 'manifest' | 'recentFailures'>;

/** The page of a small batch takes only a moment. */
const PAGE_WITHIN_MS = 5_000;

/** @returns its object name; `null` if it is still being made, or could not be */
async function pageSoon(client: BatchClient, end: { sheetPage?: string }): Promise<string | null> {
  const over = new AbortController();
  await Promise.race([
    reviewPageEnd(client, end),
    sleep(PAGE_WITHIN_MS, undefined, { signal: over.signal }).catch(() => {}),
  ]);
  over.abort();
  return reviewPage(client, end);
}

const words: Record<string, string> = {
  images: 'images',
  manifest: 'manifest',
  contactSheet: 'contact sheet',
  contactSheetPage: 'to review',
};

type Result = Pick<BatchResult, 'batch' | 'contactSheet' | 'sheetPage'> & { manifest: string | null };

/** A file path if the store is a folder, otherwise a URL. Programs may run in another folder, so they get absolute paths. */
function resultPlaces(
  store: string,
  { batch, manifest, contactSheet, sheetPage }: Result,
  page: string | null,
  isShort: boolean,
): Record<string, string> {
  const place = (name: string): string => storePlace(`${store.replace(/\/$/, '')}/${name}`, isShort);
  return {
    images: place(batchFolder(batch)),
    ...(manifest !== null && { manifest: place(manifest) }),
    ...(contactSheet !== null && { contactSheet: place(contactSheet) }),
    ...((contactSheet !== null || sheetPage !== undefined) && {
      contactSheetPage: place(page ?? contactSheetPageName(batch)),
    }),
  };
}

function storePlace(url: string, isShort: boolean): string {
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(url);
  const fromHere = relative(process.cwd(), path);
  return !isShort || fromHere.startsWith('..') ? path : `${fromHere}${path.endsWith('/') ? '/' : ''}`;
}
