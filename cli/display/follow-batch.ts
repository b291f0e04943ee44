import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BatchClient,
  type BatchEnd,
  type BatchProgress,
  NoOrchestrator,
  type WatchedProgress,
  watchBatch,
} from '../../client/index.ts';
import { ServerUnreachable } from '../../domain/user-error.ts';
import { EXIT, type ExitCode, ServerUnusable } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { serverHint } from '../server-choice.ts';
import { note } from './output.ts';
import { progressDisplay } from './progress-display.ts';
import type { ProgressDisplay } from './progress-text.ts';
import { answerOf } from './silent-server.ts';
import { tellEnd } from './tell-end.ts';
import { workersOf } from './worker-watch.ts';

/** The server may answer at once that there is no orchestrator, so do not retry in a tight loop. */
const AGAIN_MS = 1_000;

/** The user left before the batch ended. */
type Left = { state: 'left'; isServerAway: boolean };

/** How it ended, and the last progress it reported. */
type Followed = BatchEnd & { last?: BatchProgress };

type Following = {
  json: boolean;
  /** Aborted when the user stops watching. The batch continues. */
  signal: AbortSignal;
};

/**
 * Shows a batch until it ends or the user leaves. If no orchestrator answers, it waits: one may still be starting. It also
 * waits for a server that is restarting, but not forever.
 *
 * @throws ServerUnusable if the server does not come back
 */
export async function followBatch(client: BatchClient, batch: string, options: Following): Promise<Followed | Left> {
  const { json, signal } = options;
  const display = progressDisplay(json, workersOf(client, batch));
  const shown = new Shown(display, batch, client);
  try {
    for (;;) {
      try {
        const end = await follow(client, batch, signal, shown);
        return end ?? { state: 'left', isServerAway: shown.isServerAway };
      } catch (error) {
        shown.bear(error);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
  } finally {
    display.end();
  }
}

/** `null` if the user left. */
async function follow(client: BatchClient, batch: string, signal: AbortSignal, shown: Shown): Promise<Followed | null> {
  const progress = watchBatch(client, batch, { everyMs: shown.everyMs, after: shown.last });
  for (;;) {
    const next = await answerOf(client, signal, () => progress.next());
    if (next === null) return null;
    if (next.done) return { ...next.value, ...(shown.last && { last: shown.last }) };
    shown.show(next.value);
  }
}

/** Shows a batch until it ends and prints how it ended, or how to watch it again. */
export async function watchToTheEnd(client: BatchClient, batch: string, json: boolean): Promise<ExitCode> {
  const end = await followBatch(client, batch, { json, signal: interruption() });
  if (end.state !== 'left') return tellEnd(client, batch, end, json, end.last);
  const what = end.isServerAway
    ? `is waiting for the Temporal server at ${client.address}, which does not answer`
    : 'continues without you';
  note(`\nbatch ${batch} ${what}. Watch it again with:\n  npx pixart-batch watch ${batch}${serverHint(client)}`);
  return EXIT.interrupted;
}

/** Enough for a restart or an upgrade of the server; after that a waiting script should be told. */
const UNREACHABLE_MS = 10 * 60_000;

/** What the user sees of a batch: its progress, or that nobody answers. */
class Shown {
  readonly #display: ProgressDisplay;
  readonly #batch: string;
  readonly #hint: string;
  #last: BatchProgress | undefined;
  #awaySince: number | undefined;

  constructor(display: ProgressDisplay, batch: string, client: BatchClient) {
    this.#display = display;
    this.#batch = batch;
    this.#hint = serverHint(client);
  }

  get everyMs(): number {
    return this.#display.everyMs;
  }

  /** The last progress that the batch reported. */
  get last(): BatchProgress | undefined {
    return this.#last;
  }

  get isServerAway(): boolean {
    return this.#awaySince !== undefined;
  }

  show({ isSilent, passedOver, ...progress }: WatchedProgress): void {
    this.#awaySince = undefined;
    this.#last = progress;
    if (isSilent) this.#display.fallSilent(this.#noOrchestrator(passedOver), progress);
    else this.#display.show(progress);
  }

  /**
   * Returns if it is worth trying again.
   *
   * @throws ServerUnusable if the server has been away too long; any other error is thrown as it is
   */
  bear(error: unknown): void {
    if (error instanceof ServerUnreachable) this.#bearAbsence(error);
    else if (error instanceof NoOrchestrator) this.#bearSilence(error);
    else throw error;
  }

  #bearAbsence({ message }: ServerUnreachable): void {
    this.#awaySince ??= performance.now();
    if (performance.now() - this.#awaySince > UNREACHABLE_MS) {
      const minutes = UNREACHABLE_MS / 60_000;
      throw new ServerUnusable(
        `${message}, for ${minutes} minutes now. Batch ${this.#batch} has lost nothing; when the server is back, watch it again with:\n` +
          `  npx pixart-batch watch ${this.#batch}${this.#hint}`,
      );
    }
    this.#display.fallSilent(`${message} at the moment; batch ${this.#batch} is waiting for it too …`);
  }

  #bearSilence({ why }: NoOrchestrator): void {
    this.#awaySince = undefined;
    this.#display.fallSilent(this.#noOrchestrator(why ?? undefined));
  }

  #noOrchestrator(why?: string): string {
    const when = this.#last === undefined ? 'yet' : 'at the moment';
    const because = why === undefined ? '' : ` (${why})`;
    return `no orchestrator answers for batch ${this.#batch} ${when}${because}; waiting for one …`;
  }
}
