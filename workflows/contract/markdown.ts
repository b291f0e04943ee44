import { oneLine } from '../../domain/printable.mjs';

/** Temporal's UI reads summaries and details as Markdown; a sentence is shorter. */
const MOST = 1_000;

/** Text from outside as a code span: nothing in it is a link, an image, HTML or a heading. Its lines become one. */
export function code(text: string): string {
  const shown = oneLine(text, MOST);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A backtick at an end would lengthen the fence, and one space at each end is not shown.
  return longest > 0 || shown === '' ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

/** What Markdown would take for more than letters. An underscore within a word is one. */
const MARKUP = /[\\`*[\]<>|~&]|\b_|_\b|:\/\/|\bwww\.|@/;

/** The same for text within a summary: as it is where Markdown does nothing to it. */
export const plain = (text: string): string => (MARKUP.test(text) ? code(text) : oneLine(text, MOST));
