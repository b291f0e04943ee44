import { type BatchClient, canTell, type WaitingMessage } from '../../client/index.ts';
import { channelOf, channelVariable } from '../../domain/receiver.ts';

/** What is to be told, and whether anybody can. */
export type Messages = { tells: string; canTell: boolean; waiting: WaitingMessage[] };

/** That nobody can tell a receiver anything yet, and what to do; nothing where somebody can, or nobody is to be told, or nobody knows. */
export async function silenceOf(client: BatchClient, receiver: string | undefined): Promise<string[]> {
  if (receiver === undefined) return [];
  const channel = channelOf(receiver);
  const isHeard = await canTell(client, channel).catch(() => true);
  return isHeard ? [] : [silenceText(channel)];
}

/** The same of a batch, and what of it has not been told yet. */
export function messageNotes({ tells, canTell, waiting }: Messages): string[] {
  const tried = waiting.flatMap(({ event, trouble }) =>
    trouble === null ? [] : [`${event} is not told yet, and tried again: ${trouble.reason}`],
  );
  const queued = waiting.filter(({ trouble }) => trouble === null).map(({ event }) => event);
  if (canTell) return tried;
  return [silenceText(tells), ...(queued.length > 0 ? [`waiting to be told: ${queued.join(', ')}`] : []), ...tried];
}

const silenceText = (channel: string): string =>
  `nobody is told yet: no orchestrator has ${channelVariable(channel)}. Set it where orchestrators run, and start them again; ` +
  'until then, for three days at most, messages wait';
