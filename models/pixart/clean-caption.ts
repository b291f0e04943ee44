import { ADDRESSES, CATALOG_NOISE, SHOP_NOISE } from './caption-rules.ts';
import { htmlText, unescapeHtml } from './html-text.ts';
import { isPlain, strip } from './python-regex.ts';
import { repairText } from './repair-text.ts';
import { TextRules } from './text-rules.ts';

const addresses = new TextRules(ADDRESSES);
const catalogNoise = new TextRules(CATALOG_NOISE);
const shopNoise = new TextRules(SHOP_NOISE);

const JOINTS = /[-_]/g;

const EDGES: [pattern: RegExp, replacement: string][] = [
  [/^["'](.+)["']$/s, '$1'],
  [/^['_,\-:;]/, ''],
  [/['_,\-:+]$/, ''],
  [/^\.\S+$/, ''],
];

/** Words with spaces and commas between them, as most prompts are: nothing is cleaned of these but what a shop says. */
const SIMPLE = /^[a-z]+(?:,? [a-z]+)*$/;
const SHOP_WORD = /shipping|download|click|png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4/;

/**
 * Cleans a caption as PixArt-Σ's training did: twice over, since one pass can uncover what the next removes.
 *
 * Source: diffusers, pipelines/pixart_alpha/pipeline_pixart_sigma.py (`_clean_caption`), including its quirks: Chinese
 * characters and everything that looks like a shop's article code are dropped. What differs is said in html-text.ts and
 * repair-text.ts.
 */
export function cleanCaption(caption: string): string {
  const lowered = lowerCaption(caption);
  if (SIMPLE.test(lowered) && !SHOP_WORD.test(lowered)) return lowered;
  const once = cleanOnce(caption);
  // What came out as it went in would do so again.
  return once === lowered && isPlain(once) && !/[+%]/.test(once) ? once : cleanOnce(once);
}

/** What the reference does to a caption where cleaning is off. */
export const lowerCaption = (caption: string): string => strip(caption.toLowerCase());

function cleanOnce(caption: string): string {
  const text = htmlText(addresses.apply(lowerCaption(unquotePlus(caption))));
  const plain = unescapeHtml(unescapeHtml(repairText(splitJoined(catalogNoise.apply(text)))));
  const edged = EDGES.reduce(
    (result, [pattern, replacement]) => result.replace(pattern, replacement),
    shopNoise.apply(plain),
  );
  return strip(edged);
}

/** "this-is-my-cute-cat" in words; up to three hyphens or underscores stay. */
const splitJoined = (text: string): string =>
  (text.match(JOINTS)?.length ?? 0) > 3 ? text.replace(JOINTS, ' ') : text;

/** Python's `urllib.parse.unquote_plus`. */
function unquotePlus(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  if (!spaced.includes('%')) return spaced;
  return spaced.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) =>
    UTF8.decode(Buffer.from(escapes.replaceAll('%', ''), 'hex')),
  );
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is tokenized of a prompt, as the bundle's `cleanCaption` says. */
export const captionText = (caption: string, clean: boolean): string =>
  clean ? cleanCaption(caption) : lowerCaption(caption);
