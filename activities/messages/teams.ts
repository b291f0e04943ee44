import type { Fact, Message } from './message.ts';

/** Elements of Adaptive Cards 1.5, as far as they are used here. */
type TextRun = {
  type: 'TextRun';
  text: string;
  weight?: 'Bolder';
  size?: 'Large';
  isSubtle?: true;
  selectAction?: OpenUrl;
};
type CardElement =
  | { type: 'RichTextBlock'; inlines: TextRun[]; spacing?: 'Small' | 'Medium' | 'Large' }
  | { type: 'ColumnSet'; columns: { type: 'Column'; width: string; items: CardElement[] }[]; spacing?: 'Small' }
  | { type: 'Image'; url: string; altText: string; size: 'Stretch' };
type OpenUrl = { type: 'Action.OpenUrl'; title: string; url: string };

export type AdaptiveCard = {
  type: 'AdaptiveCard';
  $schema: string;
  version: '1.5';
  fallbackText: string;
  body: CardElement[];
  actions: OpenUrl[];
};

/** What the trigger of a workflow in Teams ("when a Teams webhook request is received") is posted. */
export type TeamsMessage = {
  type: 'message';
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive'; contentUrl: null; content: AdaptiveCard }];
};

/** Teams takes 28 kB of message, in which a character of another script may count twice. */
export const TEAMS_BYTES = 20_000;

/**
 * A message as an Adaptive Card. Texts are text runs: text blocks and fact sets would read Markdown in what batches,
 * catalogs and errors say. A message that is too long loses nights and failures from their ends, and says so.
 */
export function teamsMessage(message: Message): TeamsMessage {
  const made = withCard(cardOf(message));
  if (Buffer.byteLength(JSON.stringify(made)) <= TEAMS_BYTES) return made;
  const { nights, failures, notes } = message;
  if (nights.length + failures.length === 0) return made;
  return teamsMessage({
    ...message,
    nights: nights.slice(0, -1),
    failures: nights.length > 0 ? failures : failures.slice(0, -1),
    notes: [...notes.filter((note) => note !== CUT), CUT],
  });
}

const CUT = 'Some lines were left out: Teams limits the length of messages. "report" shows all of them.';

const withCard = (content: AdaptiveCard): TeamsMessage => ({
  type: 'message',
  attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
});

const cardOf = ({ title, facts, reason, failures, nights, links, picture, notes }: Message): AdaptiveCard => ({
  type: 'AdaptiveCard',
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
  version: '1.5',
  fallbackText: title,
  body: [
    block({ type: 'TextRun', text: title, weight: 'Bolder', size: 'Large' }),
    ...(reason === null ? [] : [block(run(reason))]),
    ...facts.map(factRow),
    ...(picture?.kind === 'public'
      ? [{ type: 'Image' as const, url: picture.url, altText: `Thumbnails: ${title}`, size: 'Stretch' as const }]
      : []),
    ...(failures.length === 0 ? [] : [heading('Failed rows')]),
    ...failures.map(({ what, ids }) => block(run(what), ...(ids === '' ? [] : [subtle(` (${ids})`)]))),
    ...(nights.length === 0 ? [] : [heading('Nights before')]),
    ...nights.map(factRow),
    ...notes.map((note) => block(subtle(note))),
  ],
  actions: links.map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
});

const run = (text: string): TextRun => ({ type: 'TextRun', text });

const subtle = (text: string): TextRun => ({ type: 'TextRun', text, isSubtle: true });

const block = (...inlines: TextRun[]): CardElement => ({ type: 'RichTextBlock', inlines });

const heading = (text: string): CardElement => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', text, weight: 'Bolder' }],
  spacing: 'Large',
});

/** A fact set's look, without its Markdown. */
const factRow = ({ label, value }: Fact): CardElement => ({
  type: 'ColumnSet',
  spacing: 'Small',
  columns: [
    { type: 'Column', width: '1', items: [block({ type: 'TextRun', text: label, weight: 'Bolder' })] },
    { type: 'Column', width: '3', items: [block(run(value))] },
  ],
});
