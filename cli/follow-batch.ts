import type { Totals } from '../catalog/receipt.ts';
import type { BatchClient, BatchEnd } from '../client/index.ts';
import { batchProgress, watchBatch } from '../client/index.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { note, printJson, printLine } from './output.ts';
import { outcomeText, progressDisplay } from './progress-display.ts';

export type Following = {
  json: boolean;
  /** Aborted when the person has seen enough. The batch goes on. */
  signal: AbortSignal;
};

/** Shows a batch until it has ended, `null` where the person left before. */
export async function followBatch(client: BatchClient, batch: string, options: Following): Promise<BatchEnd | null> {
  const display = progressDisplay(options.json);
  const left = new Promise<null>((resolve) => {
    if (options.signal.aborted) resolve(null);
    options.signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const progress = watchBatch(client, batch);
  try {
    for (;;) {
      const step = progress.next();
      // After leaving, the connection is closed under a call that nobody waits for.
      step.catch(() => {});
      const next = await Promise.race([step, left]);
      if (next === null) return null;
      if (next.done) return next.value;
      display.show(next.value);
    }
  } finally {
    display.end();
  }
}

/** Shows a batch to its end and says how it ended, or how to come back to it. */
export async function watchToTheEnd(client: BatchClient, batch: string, json: boolean): Promise<ExitCode> {
  const end = await followBatch(client, batch, { json, signal: interruption() });
  if (end === null) {
    note(`\nbatch ${batch} goes on without you. Come back with:\n  npx pixart-batch watch ${batch}`);
    return EXIT.interrupted;
  }
  return tellEnd(client, batch, end, json);
}

/** Prints how the batch ended; the exit code says whether all of its images are there. */
export async function tellEnd(client: BatchClient, batch: string, end: BatchEnd, json: boolean): Promise<ExitCode> {
  if (end.state === 'failed') {
    if (json) printJson({ batch, ...end });
    else printLine(`batch ${batch} failed: ${end.reason}`);
    return EXIT.imagesMissing;
  }
  const { totals, recentFailures } = await batchProgress(client, batch);
  const files =
    end.state === 'completed' ? { manifest: end.result.manifest, contactSheet: end.result.contactSheet } : {};
  if (json) printJson({ batch, state: end.state, totals, ...files });
  else {
    printLine(`batch ${batch} ${end.state}: ${totalsText(totals)}`);
    for (const { id, reason } of recentFailures) printLine(`  ${id}: ${reason}`);
    if (totals.failed > recentFailures.length) printLine('  … the manifest lists all failures');
    for (const [what, name] of Object.entries(files)) if (name !== null) printLine(`  ${fileWords[what]}: ${name}`);
  }
  return totals.failed + totals.cancelled === 0 && end.state === 'completed' ? EXIT.ok : EXIT.imagesMissing;
}

const fileWords: Record<string, string> = { manifest: 'manifest', contactSheet: 'contact sheet' };

/** `24 images, 20 rendered, 4 reused` */
export function totalsText({ jobs, cancelled, extraComputations, ...outcome }: Totals): string {
  return [
    `${jobs} ${jobs === 1 ? 'job' : 'jobs'}`,
    outcomeText(outcome),
    ...(cancelled === 0 ? [] : [`${cancelled} not started`]),
    ...(extraComputations === 0 ? [] : [`${extraComputations} computed more than once`]),
  ].join(', ');
}

/** Aborted by Ctrl-C or a request to end. */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}
