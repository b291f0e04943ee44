// Plain JavaScript: set-up prints before TypeScript can be loaded.

/**
 * Characters that a terminal obeys (control characters, including C1 and DEL), bidirectional controls, which can hide text,
 * lone surrogates, and characters that some programs treat as line ends.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu;
const UNSAFE_IN_LINE = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu;

/** @param {string} character a single code unit */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * The same JSON without characters that a terminal obeys.
 *
 * @param {string} json on one line, with or without a line end
 */
export const printableJson = (json) => json.replace(UNSAFE_IN_LINE, escaped);

/** The longest line that a terminal gets, far longer than any of our sentences. */
export const LINE_CHARACTERS = 10_000;

/**
 * Text that a terminal shows and does not obey. Lines stay lines, and very long lines are cut.
 *
 * @param {string} text
 */
export const printable = (text) =>
  text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => shortened(line.replace(UNSAFE, escaped), LINE_CHARACTERS))
    .join('\n');

/**
 * The same for text within a line: its lines are joined.
 *
 * @param {string} text
 * @param {number} [most] maximum number of characters
 */
export const oneLine = (text, most = 2_000) =>
  shortened(
    text
      .replace(/[\n\r\t\v\f\u0085\u2028\u2029][\s\u0085]*/g, ' ')
      .trim()
      .replace(UNSAFE, escaped),
    most,
  );

/**
 * A text, or its beginning followed by its length: `aaaa… (200,000 characters)`.
 *
 * @param {string} text
 * @param {number} most maximum number of characters shown
 */
export function shortened(text, most) {
  // Do not leave half of a surrogate pair.
  const shown = text.length > most ? text.slice(0, most).replace(/[\ud800-\udbff]$/, '') : text;
  return shown === text ? text : `${shown}… (${text.length.toLocaleString('en')} characters)`;
}

/**
 * A value for a message: quoted, on one line, at most 60 characters of it.
 *
 * @param {string} text
 */
export function quoted(text) {
  const shown = [...text.slice(0, 200)];
  if (text.length <= 200 && shown.length <= 60) return printableJson(JSON.stringify(text));
  const start = printableJson(JSON.stringify(shown.slice(0, 60).join('')));
  return `${start.slice(0, -1)}…" (${text.length.toLocaleString('en')} characters)`;
}

/**
 * A name from outside: as it is if it looks harmless, otherwise quoted.
 *
 * @param {string} name
 */
export const named = (name) => (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,60}$/u.test(name) ? name : quoted(name));
