import { htmlText, unescapeHtml } from './html-text.ts';
import { pythonRegex, strip } from './python-regex.ts';
import { repairText } from './repair-text.ts';

type Rule = [pattern: RegExp, replacement: string];

const rules = (...pairs: [pattern: string, replacement: string][]): Rule[] =>
  pairs.map(([pattern, replacement]) => [pythonRegex(pattern), replacement]);

const apply = (text: string, list: Rule[]): string =>
  list.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);

const DOMAIN = String.raw`[a-zA-Z0-9.\-]+[.](?:com|co|ru|net|org|edu|gov|it)[\w\/\-]*\b\/?(?!@)`;

const ADDRESSES = rules(
  ['<person>', 'person'],
  [String.raw`\b(?:https?:(?:\/{1,3}|[a-zA-Z0-9%])|${DOMAIN})`, ''],
  [String.raw`\b(?:www:(?:\/{1,3}|[a-zA-Z0-9%])|${DOMAIN})`, ''],
);

const DASHES =
  '\\u002D\\u058A\\u05BE\\u1400\\u1806\\u2010-\\u2015\\u2E17\\u2E1A\\u2E3A\\u2E3B\\u2E40\\u301C\\u3030\\u30A0\\uFE31\\uFE32\\uFE58\\uFE63\\uFF0D';

/** Nicknames, East Asian blocks that the model never saw, dashes, quotation marks, numbers and names that catalogs carry. */
const CATALOG_NOISE = rules(
  [String.raw`@[\w]+\b`, ''],
  [String.raw`[\u31c0-\u31ef\u31f0-\u31ff\u3200-\u32ff\u3300-\u33ff\u3400-\u4dbf\u4dc0-\u4dff\u4e00-\u9fff]+`, ''],
  [`[${DASHES}]+`, '-'],
  ['[`´«»“”¨]', '"'],
  ['[‘’]', "'"],
  ['&quot;?', ''],
  ['&amp', ''],
  [String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`, ' '],
  [String.raw`\d:\d\d\s+$`, ''],
  [String.raw`\\n`, ' '],
  [String.raw`#\d{1,3}\b`, ''],
  [String.raw`#\d{5,}\b`, ''],
  [String.raw`\b\d{6,}\b`, ''],
  [String.raw`\S+\.(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)`, ''],
  [`["']{2,}`, '"'],
  [String.raw`\.{2,}`, ' '],
  [String.raw`[#®•©™\&@·º½¾¿¡§~\)\(\]\[\}\{\|\\\/*]+`, ' '],
  [String.raw`\s+\.\s+`, ' '],
);

const JOINTS = /[-_]/g;

/** Article codes and the phrases of shops. */
const SHOP_NOISE = rules(
  [String.raw`\b[a-zA-Z]{1,3}\d{3,15}\b`, ''],
  [String.raw`\b[a-zA-Z]+\d+[a-zA-Z]+\b`, ''],
  [String.raw`\b\d+[a-zA-Z]+\d+\b`, ''],
  [String.raw`(worldwide\s+)?(free\s+)?shipping`, ''],
  [String.raw`(free\s)?download(\sfree)?`, ''],
  [String.raw`\bclick\b\s(?:for|on)\s\w+`, ''],
  [String.raw`\b(?:png|jpg|jpeg|bmp|webp|eps|pdf|apk|mp4)(\simage[s]?)?`, ''],
  [String.raw`\bpage\s+\d+\b`, ''],
  [String.raw`\b\d*[a-zA-Z]+\d+[a-zA-Z]+\d+[a-zA-Z\d]*\b`, ' '],
  [String.raw`\b\d+\.?\d*[xх×]\d+\.?\d*\b`, ''],
  [String.raw`\b\s+:\s+`, ': '],
  [String.raw`(\D[,.\/])\b`, '$1 '],
  [String.raw`\s+`, ' '],
);

const EDGES: Rule[] = [
  [/^["'](.+)["']$/s, '$1'],
  [/^['_,\-:;]/, ''],
  [/['_,\-:+]$/, ''],
  [/^\.\S+$/, ''],
];

/**
 * Cleans a caption as PixArt-Σ's training did: twice over, since one pass can uncover what the next removes.
 *
 * Source: diffusers, pipelines/pixart_alpha/pipeline_pixart_sigma.py (`_clean_caption`), including its quirks: Chinese
 * characters and everything that looks like a shop's article code are dropped. What differs is said in html-text.ts and
 * repair-text.ts.
 */
export const cleanCaption = (caption: string): string => cleanOnce(cleanOnce(caption));

/** What the reference does to a caption where cleaning is off. */
export const lowerCaption = (caption: string): string => strip(caption.toLowerCase());

function cleanOnce(caption: string): string {
  const text = htmlText(apply(lowerCaption(unquotePlus(caption)), ADDRESSES));
  const plain = unescapeHtml(unescapeHtml(repairText(splitJoined(apply(text, CATALOG_NOISE)))));
  return strip(apply(apply(plain, SHOP_NOISE), EDGES));
}

/** "this-is-my-cute-cat" in words; up to three hyphens or underscores stay. */
const splitJoined = (text: string): string =>
  (text.match(JOINTS)?.length ?? 0) > 3 ? text.replace(JOINTS, ' ') : text;

/** Python's `urllib.parse.unquote_plus`. */
const unquotePlus = (text: string): string =>
  text
    .replaceAll('+', ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => UTF8.decode(Buffer.from(escapes.replaceAll('%', ''), 'hex')));

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** What is tokenized of a prompt, as the bundle's `cleanCaption` says. */
export const captionText = (caption: string, clean: boolean): string =>
  clean ? cleanCaption(caption) : lowerCaption(caption);
