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

/** The server may say at once that nobody is there. */
const AGAIN_MS = 1_000;

/** The person left before the batch had ended. */
export type Left = { state: 'left'; isServerAway: boolean };

/** How it ended, and what it told last. */
export type Followed = BatchEnd & { last?: BatchProgress };

export type Following = {
  json: boolean;
  /** Aborted when the person has seen enough. The batch goes on. */
  signal: AbortSignal;
};

/**
 * Shows a batch until it has ended or the person leaves. Where no orchestrator answers for it, one may
 * still be starting, and the batch waits for it as we do; a server that is being restarted is waited for too, but not for ever.
 *
 * @throws ServerUnusable where the server stays away
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

/** `null` where the person left. */
async function follow(client: BatchClient, batch: string, signal: AbortSignal, shown: Shown): Promise<Followed | null> {
  const progress = watchBatch(client, batch, { everyMs: shown.everyMs, after: shown.last });
  for (;;) {
    const next = await answerOf(client, signal, () => progress.next());
    if (next === null) return null;
    if (next.done) return { ...next.value, ...(shown.last && { last: shown.last }) };
    shown.show(next.value);
  }
}

/** Shows a batch to its end and says how it ended, or how to come back to it. */
export async function watchToTheEnd(client: BatchClient, batch: string, json: boolean): Promise<ExitCode> {
  const end = await followBatch(client, batch, { json, signal: interruption() });
  if (end.state !== 'left') return tellEnd(client, batch, end, json, end.last);
  const what = end.isServerAway
    ? `waits for the Temporal server at ${client.address}, which does not answer`
    : 'goes on without you';
  note(`\nbatch ${batch} ${what}. Come back with:\n  npx pixart-batch watch ${batch}${serverHint(client)}`);
  return EXIT.interrupted;
}

/** Enough for a restart or an upgrade of the server. Longer, and a script that waits should hear of it. */
const UNREACHABLE_MS = 10 * 60_000;

/** What a person sees of a batch: its answers, and that nobody answers. */
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

  /** What the batch told last. */
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
   * Returns where it is worth asking again.
   *
   * @throws ServerUnusable where the server has been away for too long, otherwise the error itself
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
        `${message}, for ${minutes} minutes now. Nothing of batch ${this.#batch} is lost; when the server is back, go on with:\n` +
          `  npx pixart-batch watch ${this.#batch}${this.#hint}`,
      );
    }
    this.#display.fallSilent(`${message} at the moment; batch ${this.#batch} waits for it, and so do we …`);
  }

  #bearSilence({ why }: NoOrchestrator): void {
    this.#awaySince = undefined;
    this.#display.fallSilent(this.#noOrchestrator(why ?? undefined));
  }

  #noOrchestrator(why?: string): string {
    const when = this.#last === undefined ? 'yet' : 'at the moment';
    const because = why === undefined ? '' : ` (${why})`;
    return `no orchestrator answers for batch ${this.#batch} ${when}${because}; it waits for one, and so do we …`;
  }
}
