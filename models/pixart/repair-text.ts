import { unescapeHtml } from './html-text.ts';
import { isPlain } from './python-regex.ts';

const LIGATURES: Record<string, string> = {
  Ĳ: 'IJ',
  ĳ: 'ij',
  ŉ: 'ʼn',
  Ǳ: 'DZ',
  ǲ: 'Dz',
  ǳ: 'dz',
  Ǆ: 'DŽ',
  ǅ: 'Dž',
  ǆ: 'dž',
  Ǉ: 'LJ',
  ǈ: 'Lj',
  ǉ: 'lj',
  Ǌ: 'NJ',
  ǋ: 'Nj',
  ǌ: 'nj',
  ﬀ: 'ff',
  ﬁ: 'fi',
  ﬂ: 'fl',
  ﬃ: 'ffi',
  ﬄ: 'ffl',
  ﬅ: 'ſt',
  ﬆ: 'st',
};

/**
 * The part of ftfy's `fix_text` that has no judgement in it: character references, terminal escapes, C1 controls that were
 * meant as Windows-1252, ligatures, full and half width, quotation marks, line breaks, control characters, canonical
 * composition. Text that was decoded with the wrong encoding ("schÃ¶n") is left as it is, which ftfy would repair.
 *
 * Source: ftfy 6.3, `TextFixerConfig` and fixes.py.
 */
export function repairText(text: string): string {
  if (isPlain(text) && !text.includes('&')) return text;
  const unescaped = text.includes('<') ? text : text.replace(/&#?[0-9A-Za-z]{1,24};/g, unescapeHtml);
  return unescaped
    .replace(ANSI_ESCAPE, '')
    .replace(/[\x80-\x9f]/g, (control) => WINDOWS_1252[control.charCodeAt(0) - 0x80]!)
    .replace(LIGATURE, (ligature) => LIGATURES[ligature]!)
    .replace(/[\u3000\uff01-\uffef]/g, (wide) => wide.normalize('NFKC'))
    .replace(/[\u02bc\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/\r\n|[\r\u2028\u2029\u0085]/g, '\n')
    .replace(CONTROL, '')
    .normalize('NFC');
}

/** What 0x80 … 0x9f mean there; Node 20's TextDecoder reads them as Latin-1. */
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ANSI_ESCAPE = /\x1b\[[\d;]*[a-zA-Z]/g;
const LIGATURE = new RegExp(`[${Object.keys(LIGATURES).join('')}]`, 'g');
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0e-\x1f\x7f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;
