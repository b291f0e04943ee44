import { oneLine } from '../../domain/printable.mjs';
import { endText, stateText } from '../../domain/state-text.ts';
import type { BatchEvent } from '../../workflows/contract/webhook.ts';

/** A message about a batch, before it is formatted for a receiver. All texts are plain: nothing in them is markup. */
export type Message = {
  title: string;
  facts: Fact[];
  /** Why it paused, failed or has no manifest. */
  reason: string | null;
  /** Rows that failed, those of one reason together. */
  failures: FailedRows[];
  /** What came of the nights before, where a schedule has started the batch; the newest first. */
  nights: Fact[];
  links: Link[];
  /** Thumbnails. */
  picture: Picture | null;
  /** What is missing above, and why. */
  notes: string[];
};

export type Fact = { label: string; value: string };

export type FailedRows = { what: string; ids: string };

/** Where a browser finds something. */
export type Link = { label: string; url: string };

/** A JPEG itself, or a place where everybody may fetch it. */
export type Picture = { kind: 'inline'; jpeg: Uint8Array } | { kind: 'public'; url: string };

/** What a receiver's limits are kept with: of each list no more, and of a text no more, but for a word on how long it is. */
const MOST = { facts: 10, failures: 6, nights: 7, links: 5, notes: 5 };
const CHARACTERS = { title: 120, value: 200, reason: 600, failure: 300, ids: 200, note: 300 };

/** The message cut to what every receiver accepts; it says what was left out. */
export function bounded({ failures, ...message }: Message): Message {
  const left = failures.length - MOST.failures;
  return {
    title: oneLine(message.title, CHARACTERS.title),
    facts: message.facts.slice(0, MOST.facts).map(boundedFact),
    reason: message.reason && oneLine(message.reason, CHARACTERS.reason),
    failures: [
      ...failures.slice(0, MOST.failures).map(({ what, ids }) => ({
        what: oneLine(what, CHARACTERS.failure),
        ids: oneLine(ids, CHARACTERS.ids),
      })),
      ...(left > 0 ? [{ what: `… and ${left} other reasons`, ids: '' }] : []),
    ],
    nights: message.nights.slice(0, MOST.nights).map(boundedFact),
    links: message.links.slice(0, MOST.links),
    picture: message.picture,
    notes: message.notes.slice(0, MOST.notes).map((text) => oneLine(text, CHARACTERS.note)),
  };
}

const boundedFact = ({ label, value }: Fact): Fact => ({
  label: oneLine(label, CHARACTERS.value),
  value: oneLine(value, CHARACTERS.value),
});

/** `Batch night completed, 2 failed` */
export function titleOf({ type, data }: BatchEvent): string {
  const { batch, round } = data;
  const again = round > 1 ? ` (round ${round})` : '';
  return `Batch ${batch}${again} ${ENDED[type](data)}`;
}

const ENDED: Record<BatchEvent['type'], (data: BatchEvent['data']) => string> = {
  'batch.completed': ({ totals }) => stateText('completed', totals?.failed ?? 0),
  'batch.cancelled': ({ totals }) => `was ${totals === undefined ? 'cancelled' : endText('cancelled', totals)}`,
  'batch.failed': ({ refused }) => (refused ? 'was refused' : 'failed'),
  'batch.paused': () => 'paused itself',
};
