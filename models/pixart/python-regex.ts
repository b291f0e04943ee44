/** Python's idea of the classes: Unicode letters and numbers in words, more kinds of white space than JavaScript knows. */
const WORD = '\\p{L}\\p{N}_';
const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const CLASSES: Record<string, string> = {
  '\\w': `[${WORD}]`,
  '\\d': '\\p{Nd}',
  '\\D': '\\P{Nd}',
  '\\s': `[${SPACE}]`,
  '\\S': `[^${SPACE}]`,
  '\\b': `(?:(?<![${WORD}])(?=[${WORD}])|(?<=[${WORD}])(?![${WORD}]))`,
};

/** A global regular expression whose `\w`, `\d`, `\D`, `\s`, `\S` and `\b` mean what they mean for Python's strings. */
export const pythonRegex = (pattern: string): RegExp =>
  new RegExp(
    pattern.replace(/\\./g, (sequence) => CLASSES[sequence] ?? sequence),
    'gv',
  );

/** Python's `str.strip()`. */
export const strip = (text: string): string => (isPlain(text) ? text.trim() : text.replace(EDGES, ''));

const EDGES = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, 'g');

/**
 * Printable ASCII, tabs and line feeds. Of such a text JavaScript's classes are Python's, and matching it by them takes
 * a tenth of the time; nearly all prompts are such texts.
 */
export const isPlain = (text: string): boolean => /^[\t\n\x20-\x7e]*$/.test(text);
