// Plain JavaScript: set-up prints before any TypeScript can be read.

/**
 * What a terminal obeys (control characters, C1 and DEL included), what turns the direction of writing around and so hides what
 * is written, halves of characters, and what some programs take for a line's end.
 */
const UNSAFE = /[\p{Cc}\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu;
const UNSAFE_IN_LINE = /[^\P{Cc}\n]|[\p{Bidi_Control}\p{Cs}\u2028\u2029]/gu;

/** @param {string} character of one code unit, as all of these are */
const escaped = (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * JSON that means the same, with nothing in it that a terminal obeys.
 *
 * @param {string} json on one line, with or without a line's end
 */
export const printableJson = (json) => json.replace(UNSAFE_IN_LINE, escaped);

/** The longest line that a terminal gets; no sentence of ours comes near. */
export const LINE_CHARACTERS = 10_000;

/**
 * Text that a terminal shows and does not obey. Its lines stay lines, and a line that nobody would read is cut.
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
 * The same for text within a line: its own lines become one.
 *
 * @param {string} text
 * @param {number} [most] characters
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
 * A text or its beginning, and then how long it is: `aaaa… (200,000 characters)`.
 *
 * @param {string} text
 * @param {number} most characters that are shown
 */
export function shortened(text, most) {
  // Half a character is none.
  const shown = text.length > most ? text.slice(0, most).replace(/[\ud800-\udbff]$/, '') : text;
  return shown === text ? text : `${shown}… (${text.length.toLocaleString('en')} characters)`;
}

/**
 * A value as a message shows it: in quotes, on one line, at most 60 characters of it.
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
 * A name that comes from outside: as it is where it looks like one, otherwise quoted.
 *
 * @param {string} name
 */
export const named = (name) => (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,60}$/u.test(name) ? name : quoted(name));
