import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchClient } from '../../client/index.ts';
import { ServerUnreachable } from '../../domain/user-error.ts';

/** How long to wait for an answer before checking whether the server is there: calls themselves keep trying for twenty seconds. */
const SILENCE_MS = 3_000;
const ANSWER_MS = 2_000;

/**
 * The result of a call, or `null` as soon as the signal is aborted.
 *
 * @throws ServerUnreachable if the server is gone, rather than the call being slow
 */
export async function answerOf<T>(client: BatchClient, signal: AbortSignal, call: () => Promise<T>): Promise<T | null> {
  if (signal.aborted) return null;
  // The SDK never removes its listeners from a signal, so each round of calls gets its own signal. A batch of many shards
  // makes many calls.
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

/** Rejects when the server stops answering, or the signal is aborted. */
async function absence(client: BatchClient, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(SILENCE_MS, undefined, { signal });
    if (await isAway(client)) throw new ServerUnreachable(`the Temporal server at ${client.address} does not answer`);
  }
}

/** Reports when the server stops answering and when it answers again, until the signal is aborted. */
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

/** A refusal is an answer too. The gRPC codes are DEADLINE_EXCEEDED and UNAVAILABLE. */
async function isAway({ temporal: { connection } }: BatchClient): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + ANSWER_MS, () => connection.workflowService.getSystemInfo({}));
    return false;
  } catch (error) {
    return [4, 14].includes((error as { code?: number }).code ?? 0);
  }
}
