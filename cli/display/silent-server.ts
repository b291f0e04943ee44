import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchClient } from '../../client/index.ts';
import { ServerUnreachable } from '../../domain/user-error.ts';

/** After so long without an answer it is asked whether anybody is there: calls themselves go on trying for twenty seconds. */
const SILENCE_MS = 3_000;
const ANSWER_MS = 2_000;

/**
 * What a call answers, or `null` as soon as the signal is aborted.
 *
 * @throws ServerUnreachable where the server is silent, and not because the call takes it long
 */
export async function answerOf<T>(client: BatchClient, signal: AbortSignal, call: () => Promise<T>): Promise<T | null> {
  if (signal.aborted) return null;
  // The SDK never takes its listeners off a signal, so that each round of calls gets a signal of its own; a batch of many shards takes many.
  const round = new AbortController();
  setMaxListeners(0, round.signal);
  const left = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { signal: round.signal });
  });
  try {
    const answer = client.temporal.withAbortSignal(round.signal, call);
    return await Promise.race([answer, left, absence(client, round.signal)]);
  } finally {
    round.abort();
  }
}

/** Fails when the server does not answer any more, or nobody wants to know. */
async function absence(client: BatchClient, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(SILENCE_MS, undefined, { signal });
    if (await isAway(client)) throw new ServerUnreachable(`the Temporal server at ${client.address} does not answer`);
  }
}

/** Says when the server stops answering, and when it answers again, until the signal is aborted. */
export async function tellAbsence(
  client: BatchClient,
  tell: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let wasAway = false; !signal.aborted; await sleep(SILENCE_MS, undefined, { signal }).catch(() => {})) {
    const away = await isAway(client);
    if (away !== wasAway && !signal.aborted)
      tell(`the Temporal server at ${client.address} ${away ? 'does not answer' : 'answers again'}`);
    wasAway = away;
  }
}

/** Refusing us is an answer. gRPC's numbers are those of DEADLINE_EXCEEDED and UNAVAILABLE. */
async function isAway({ temporal: { connection } }: BatchClient): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
    return false;
  } catch (error) {
    return [4, 14].includes((error as { code?: number }).code ?? 0);
  }
}
