import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADDRESSES, CATALOG_NOISE, SHOP_NOISE } from '../../../models/pixart/caption-rules.ts';
import { cleanCaption, lowerCaption } from '../../../models/pixart/clean-caption.ts';
import { pythonRegex } from '../../../models/pixart/python-regex.ts';
import { type Rule, TextRules } from '../../../models/pixart/text-rules.ts';
import { GOLDEN } from './golden-case.ts';

type Pair = { text: string; cleaned: string };

describe('cleanCaption', () => {
  const pairs: Pair[] = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/captions.json'), 'utf8'));
  const isMojibake = ({ text }: Pair): boolean => text.startsWith('mojibake');

  test.each(pairs.filter((pair) => !isMojibake(pair)))('cleans $text as the reference does', ({ text, cleaned }) => {
    expect(cleanCaption(text)).toBe(cleaned);
  });

  test('leaves text that was decoded with the wrong encoding unrepaired, where the reference repairs some', () => {
    const { text, cleaned } = pairs.find(isMojibake)!;
    expect(cleanCaption(text)).toContain('â€œquotesâ€');
    expect(cleaned).toContain('"quotes"');
  });
});

test('lowerCaption lowers and strips, as the reference does where cleaning is off', () => {
  expect(lowerCaption(' \x1cA FOX,\u00a0<b>RED</b> \n')).toBe('a fox,\u00a0<b>red</b>');
});

/** One after another, as the reference makes them. */
const replaced = (text: string, rules: readonly Rule[]): string =>
  rules.reduce((result, [pattern, replacement]) => result.replace(pythonRegex(pattern), replacement), text);

const SNIPPETS = [
  ...[
    'fox',
    'a',
    '2x2',
    '3.5x7',
    'ab123',
    'a1b',
    '12',
    '123456',
    '#12',
    '#123456',
    '4:30',
    '1.2.3.4',
    'png',
    'x.png',
    '.',
    '..',
    ',',
  ],
  ...[
    ';',
    ':',
    '-',
    '--',
    '_',
    '"',
    '""',
    "'",
    '(',
    ']',
    '\\n',
    '&',
    '@me',
    'https://a.b',
    'www:x',
    'a.com/b',
    'page 7',
    'click for it',
  ],
  ...['free shipping', 'download', 'epsilon', ' ', '  ', '\t', '\n', 'é', '—', '日', '\u00a0', '\x1c', '×', '½'],
];

const texts = fc.array(fc.oneof(fc.constantFrom(...SNIPPETS), fc.string({ maxLength: 3 })), { maxLength: 12 });

test.each([
  ['addresses', ADDRESSES],
  ['noise', CATALOG_NOISE],
  ['shop', SHOP_NOISE],
])('what is replaced of %s is what the patterns say, in plain texts and in others', (_, rules) => {
  const made = new TextRules(rules);
  fc.assert(
    fc.property(texts, fc.constantFrom('', ' '), (parts, between) => {
      const text = parts.join(between).toLowerCase();
      expect(made.apply(text)).toBe(replaced(text, rules));
    }),
    { numRuns: 2_000 },
  );
});

test('words that are passed over are such as no pattern changes', () => {
  const words = fc.constantFrom(
    'a',
    'fox',
    'epsilon',
    'shipping',
    'free',
    'download',
    'click',
    'for',
    'page',
    'jpg',
    'image',
    'com',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(words, fc.constantFrom(' ', ', ')), { minLength: 1, maxLength: 8 }), (parts) => {
      const text = parts.flat().slice(0, -1).join('');
      const [first, ...rest] = [ADDRESSES, CATALOG_NOISE, SHOP_NOISE].map((rules) => replaced(text, rules));
      if (rest.every((other) => other === first) && first === text) expect(cleanCaption(text)).toBe(text);
      else expect(cleanCaption(text)).not.toBe(text);
    }),
    { numRuns: 1_000 },
  );
});
