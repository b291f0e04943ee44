import type { KnownBlock, PlainTextElement, RichTextElement } from '@slack/types';
import type { Fact, FailedRows, Message } from './message.ts';

/** What an incoming webhook of Slack is posted. */
export type SlackMessage = { text: string; mrkdwn: false; blocks: KnownBlock[] };

/** Of one section. */
const FIELDS = 10;

/**
 * A message in Slack's Block Kit. Text from batches, catalogs and errors is in plain text and rich text elements, where
 * nothing is read as a mention, a link or an emoji.
 */
export function slackMessage({ title, facts, reason, failures, nights, links, picture, notes }: Message): SlackMessage {
  return {
    text: escaped(title),
    mrkdwn: false,
    blocks: [
      { type: 'header', text: plain(title) },
      ...(reason === null ? [] : [section(reason)]),
      { type: 'section', fields: facts.slice(0, FIELDS).map(({ label, value }) => plain(`${label}\n${value}`)) },
      ...(picture?.kind === 'public'
        ? [{ type: 'image' as const, image_url: picture.url, alt_text: `Thumbnails: ${title}` }]
        : []),
      ...(failures.length === 0 ? [] : [list('Failed rows', failures.map(failureText))]),
      ...(nights.length === 0 ? [] : [list('Nights before', nights.map(factText))]),
      ...(links.length === 0
        ? []
        : [richText(links.flatMap(({ label, url }, at) => [...(at === 0 ? [] : [text(' · ')]), link(label, url)]))]),
      ...(notes.length === 0 ? [] : [{ type: 'context' as const, elements: notes.map(plain) }]),
    ],
  };
}

const plain = (text: string): PlainTextElement => ({ type: 'plain_text', text, emoji: false });

const section = (text: string): KnownBlock => ({ type: 'section', text: plain(text) });

const list = (heading: string, lines: string[]): KnownBlock => ({
  type: 'rich_text',
  elements: [
    { type: 'rich_text_section', elements: [{ type: 'text', text: heading, style: { bold: true } }] },
    {
      type: 'rich_text_list',
      style: 'bullet',
      elements: lines.map((line) => ({ type: 'rich_text_section', elements: [text(line)] })),
    },
  ],
});

const richText = (elements: RichTextElement[]): KnownBlock => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements }],
});

const text = (text: string): RichTextElement => ({ type: 'text', text });

const link = (label: string, url: string): RichTextElement => ({ type: 'link', url, text: label });

const failureText = ({ what, ids }: FailedRows): string => (ids === '' ? what : `${what} (${ids})`);

const factText = ({ label, value }: Fact): string => `${label}: ${value}`;

/** What notifications show is read as Slack's own markup, also with `mrkdwn` off. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
