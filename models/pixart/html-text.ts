import { decode } from 'html-entities';

/** Comments, declarations, processing instructions, scripts and styles go with what is in them. */
const HIDDEN = /<!--[\s\S]*?-->|<(script|style|template)\b[\s\S]*?<\/\1\s*>|<[!?][^>]*>/gi;

/** A tag, whose attributes may hold ">" in quotes. */
const TAG = /<\/?[a-z](?:"[^"]*"|'[^']*'|[^>"'])*>/gi;

/** The text between tags, with character references replaced: BeautifulSoup's `.text`, for well-formed HTML. */
export const htmlText = (html: string): string =>
  /[<&]/.test(html) ? unescapeHtml(html.replace(HIDDEN, '').replace(TAG, '').replace(REFERENCE, closeUnknown)) : html;

const REFERENCE = /&[a-z][a-z0-9]*;/gi;

/** BeautifulSoup keeps a reference that it does not know, without its semicolon. */
const closeUnknown = (reference: string): string =>
  unescapeHtml(reference) === reference ? reference.slice(0, -1) : reference;

/** Replaces character references as browsers and Python's `html.unescape` do. */
export const unescapeHtml = (text: string): string =>
  text.includes('&') ? decode(text, { level: 'html5', scope: 'body' }) : text;
