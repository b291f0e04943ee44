import { type BatchClient, canTell, type WaitingMessage } from '../../client/index.ts';
import { channelOf, channelVariable } from '../../domain/receiver.ts';

/** The messages of a batch that are still to be sent, and whether any worker can send them. */
export type Messages = { tells: string; canTell: boolean; waiting: WaitingMessage[] };

/**
 * Says that no worker can send messages to a receiver yet, and what to do; empty if one can, there is no receiver, or
 * it is unknown.
 */
export async function silenceOf(client: BatchClient, receiver: string | undefined): Promise<string[]> {
  if (receiver === undefined) return [];
  const channel = channelOf(receiver);
  const isHeard = await canTell(client, channel).catch(() => true);
  return isHeard ? [] : [silenceText(channel)];
}

/** The same for a batch, with its messages that have not been delivered yet. */
export function messageNotes({ tells, canTell, waiting }: Messages): string[] {
  const tried = waiting.flatMap(({ event, trouble }) =>
    trouble === null ? [] : [`message "${event}" is not delivered yet and will be retried: ${trouble.reason}`],
  );
  const queued = waiting.filter(({ trouble }) => trouble === null).map(({ event }) => event);
  if (canTell) return tried;
  return [silenceText(tells), ...(queued.length > 0 ? [`messages waiting: ${queued.join(', ')}`] : []), ...tried];
}

const silenceText = (channel: string): string =>
  `messages cannot be sent yet: no orchestrator has ${channelVariable(channel)}. Set it where orchestrators run, and restart them; ` +
  'until then messages wait, for up to three days';
