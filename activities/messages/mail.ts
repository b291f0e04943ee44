import { createHash } from 'node:crypto';
import { encode } from 'html-entities';
import type { Fact, Message } from './message.ts';

/** A mail without its sender, as the mailer accepts it. */
export type Mail = {
  to: string[];
  subject: string;
  text: string;
  html: string;
  /** The same for each attempt, so that receivers can recognise duplicates. */
  messageId: string;
  /** When it happened. */
  date: Date;
  /** Shown in the HTML by this content id. */
  picture: { cid: string; jpeg: Uint8Array } | null;
};

const CID = 'thumbnails';

/**
 * A message as a mail, for people who read HTML and for those who read text.
 *
 * @param id of the event, which is the same in every attempt
 */
export function mailOf(
  message: Message,
  { to, id, date, domain }: { to: string[]; id: string; date: Date; domain: string },
): Mail {
  const { picture, title } = message;
  const jpeg = picture?.kind === 'inline' ? picture.jpeg : null;
  return {
    to,
    subject: title,
    text: textOf(message, jpeg !== null),
    html: htmlOf(message, jpeg !== null),
    messageId: `<${createHash('sha256').update(id).digest('hex').slice(0, 40)}@${domain}>`,
    date,
    picture: jpeg && { cid: CID, jpeg },
  };
}

function textOf({ title, facts, reason, failures, nights, links, notes }: Message, hasPicture: boolean): string {
  const list = (heading: string, lines: string[]): string[] =>
    lines.length === 0 ? [] : ['', `${heading}:`, ...lines];
  return [
    title,
    ...(reason === null ? [] : ['', reason]),
    '',
    ...facts.map(factLine),
    ...list(
      'Failed rows',
      failures.flatMap(({ what, ids }) => [`- ${what}`, ...(ids === '' ? [] : [`  ${ids}`])]),
    ),
    ...list('Nights before', nights.map(factLine)),
    ...list(
      'Links',
      links.map(({ label, url }) => `${label}: ${url}`),
    ),
    ...list('Notes', [...(hasPicture ? ['Thumbnails are attached.'] : []), ...notes]),
    '',
  ].join('\n');
}

const factLine = ({ label, value }: Fact): string => `${label}: ${value}`;

/** Tables and inline styles: mail programs know little more. */
const STYLE = {
  body: 'margin:0;padding:24px;font:15px/1.5 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;color:#1f2328;background:#ffffff',
  h1: 'margin:0 0 16px;font-size:20px;line-height:1.3',
  h2: 'margin:24px 0 8px;font-size:15px',
  th: 'padding:2px 24px 2px 0;text-align:left;font-weight:normal;color:#59636e;vertical-align:top;white-space:nowrap',
  td: 'padding:2px 0;vertical-align:top',
  li: 'margin:0 0 6px',
  ids: 'color:#59636e',
  reason: 'margin:0 0 16px;padding:8px 12px;border-left:3px solid #d1242f;background:#fff5f5',
  picture: 'display:block;width:100%;max-width:800px;height:auto;margin:24px 0 0;border:0',
  links: 'margin:24px 0 0',
  note: 'margin:16px 0 0;font-size:13px;color:#59636e',
};

function htmlOf({ title, facts, reason, failures, nights, links, notes }: Message, hasPicture: boolean): string {
  const heading = (text: string): string => element('h2', STYLE.h2, text);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${encode(title)}</title></head><body style="${STYLE.body}">`,
    element('h1', STYLE.h1, title),
    ...(reason === null ? [] : [element('p', STYLE.reason, reason)]),
    factTable(facts),
    ...(failures.length === 0 ? [] : [heading('Failed rows'), '<ul style="margin:0;padding:0 0 0 20px">']),
    ...failures.map(({ what, ids }) => {
      const rows = ids === '' ? '' : `<br>${element('span', STYLE.ids, ids)}`;
      return `<li style="${STYLE.li}">${encode(what)}${rows}</li>`;
    }),
    ...(failures.length === 0 ? [] : ['</ul>']),
    ...(nights.length === 0 ? [] : [heading('Nights before'), factTable(nights)]),
    ...(links.length === 0 ? [] : [`<p style="${STYLE.links}">${links.map(anchor).join(' &middot; ')}</p>`]),
    ...(hasPicture ? [`<img src="cid:${CID}" alt="Thumbnails" width="800" style="${STYLE.picture}">`] : []),
    ...notes.map((note) => element('p', STYLE.note, note)),
    '</body></html>',
  ].join('\n');
}

const element = (name: string, style: string, text: string): string =>
  `<${name} style="${style}">${encode(text)}</${name}>`;

const anchor = ({ label, url }: { label: string; url: string }): string =>
  `<a href="${encode(url)}" style="color:#0969da">${encode(label)}</a>`;

const factTable = (facts: Fact[]): string =>
  [
    '<table role="presentation" cellspacing="0" cellpadding="0" border="0">',
    ...facts.map(({ label, value }) => `<tr>${element('th', STYLE.th, label)}${element('td', STYLE.td, value)}</tr>`),
    '</table>',
  ].join('');
