import type { Rule } from './text-rules.ts';

// Source: diffusers, pipelines/pixart_alpha/pipeline_pixart_sigma.py (`_clean_caption`). Patterns are Python's.

const DOMAIN = String.raw`[a-zA-Z0-9.\-]+[.](?:com|co|ru|net|org|edu|gov|it)[\w\/\-]*\b\/?(?!@)`;

export const ADDRESSES: readonly Rule[] = [
  ['<person>', 'person'],
  [String.raw`\b(?:https?:(?:\/{1,3}|[a-zA-Z0-9%])|${DOMAIN})`, ''],
  [String.raw`\b(?:www:(?:\/{1,3}|[a-zA-Z0-9%])|${DOMAIN})`, ''],
];

const DASHES =
  '\\u002D\\u058A\\u05BE\\u1400\\u1806\\u2010-\\u2015\\u2E17\\u2E1A\\u2E3A\\u2E3B\\u2E40\\u301C\\u3030\\u30A0\\uFE31\\uFE32\\uFE58\\uFE63\\uFF0D';

/** Nicknames, East Asian blocks that the model never saw, dashes, quotation marks, numbers and names that catalogs carry. */
export const CATALOG_NOISE: readonly Rule[] = [
  [String.raw`@[\w]+\b`, ''],
  [String.raw`[\u31c0-\u31ef\u31f0-\u31ff\u3200-\u32ff\u3300-\u33ff\u3400-\u4dbf\u4dc0-\u4dff\u4e00-\u9fff]+`, ''],
  [`[${DASHES}]+`, '-', '--'],
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
];

/** Article codes and the phrases of shops. */
export const SHOP_NOISE: readonly Rule[] = [
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
  [String.raw`\s+`, ' ', String.raw`\s\s|[^\S ]`],
];
