import { setImmediate as turn } from 'node:timers/promises';

/** A graph blocks this thread: only between two of them can a message that asks to stop come in. @throws the signal's reason */
export async function stopPoint(signal: AbortSignal | undefined): Promise<void> {
  await turn();
  signal?.throwIfAborted();
}
