import fc from 'fast-check';
import { expect, test } from 'vitest';
import { named, oneLine, printable, printableJson, quoted, shortened } from '../../domain/printable.mjs';

/** All characters that a terminal interprets, or that hide text. */
const UNSAFE = [
  ...Array.from({ length: 0x20 }, (_, code) => String.fromCharCode(code)),
  ...Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(0x7f + code)),
  ...['\u061c', '\u200e', '\u200f', '\u2028', '\u2029', '\ud800', '\udfff'],
  ...['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069'],
];
const holdsUnsafe = (text: string): boolean => /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/u.test(text);

test('control characters are escaped as in JSON, and line breaks are kept', () => {
  expect(printable('a\u001b[31mb\u009b2Jc\u202ed\u007f\n\te\r\nf\rg\ud800')).toBe(
    'a\\u001b[31mb\\u009b2Jc\\u202ed\\u007f\n\\u0009e\nf\\u000dg\\ud800',
  );
  for (const character of UNSAFE) {
    for (const shown of [printable(`a${character}b`).replaceAll('\n', ''), oneLine(`a${character}b`)])
      expect(holdsUnsafe(shown)).toBe(false);
  }
});

test('text in any script, with accents and emoji, stays as it is', () => {
  for (const text of ['größer 一只猫 مرحبا שלום नमस्ते e\u0301', '👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم', '│ ✓ … ×']) {
    expect(printable(text)).toBe(text);
    expect(oneLine(text)).toBe(text);
    expect(JSON.parse(quoted(text))).toBe(text);
  }
});

test('JSON keeps its meaning, and has no characters that a terminal interprets', () => {
  const unit = fc.oneof(fc.constantFrom(...UNSAFE), fc.string({ unit: 'binary', maxLength: 3 }));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.array(unit)), (value) => {
      const json = `${printableJson(JSON.stringify(value))}\n`;
      expect(JSON.parse(json)).toEqual(value);
      expect(holdsUnsafe(json.slice(0, -1))).toBe(false);
    }),
  );
});

test('an overlong line is cut, with its length', () => {
  const [first, second] = printable(`${'a'.repeat(200_000)}\nb`).split('\n');
  expect(first).toMatch(/^a{10000}… \(200,000 characters\)$/);
  expect(second).toBe('b');
});

test('no character is cut in two', () => {
  expect(shortened('ab🦊c', 3)).toBe('ab… (5 characters)');
});

test('text within a line has no line breaks', () => {
  expect(oneLine(' a\r\n  b\u2028c\u0085\td ')).toBe('a b c d');
});

test('a value is quoted, and a long one is cut within its quotes', () => {
  expect(quoted('a "b"\n\u009b')).toBe('"a \\"b\\"\\n\\u009b"');
  expect(quoted('x'.repeat(200_000))).toBe(`"${'x'.repeat(60)}…" (200,000 characters)`);
});

test('a name is quoted unless it looks like one', () => {
  expect(['Caption', 'größe (cm)', 'a\u202eb', '', 'two\nlines'].map(named)).toEqual([
    ...['Caption', 'größe (cm)', '"a\\u202eb"', '""', '"two\\nlines"'],
  ]);
  expect(named('n'.repeat(200_000))).toBe(`"${'n'.repeat(60)}…" (200,000 characters)`);
});

test('long texts are handled in linear time', () => {
  for (const text of [' '.repeat(1_000_000), '\n '.repeat(500_000), '`'.repeat(1_000_000)])
    expect([printable(text), oneLine(`${text}x`), named(text)].every((shown) => shown.length <= 1_100_000)).toBe(true);
});
