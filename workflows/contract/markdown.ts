import { oneLine } from '../../domain/printable.mjs';

/** The maximum length of a text; any sentence is shorter. Temporal's UI renders summaries and details as Markdown. */
const MOST = 1_000;

/** Text from outside as a code span, so that nothing in it becomes a link, an image, HTML or a heading. Its lines are joined. */
export function code(text: string): string {
  const shown = oneLine(text, MOST);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A backtick at either end would lengthen the fence; one space at each end is not shown.
  return longest > 0 || shown === '' ? `${fence} ${shown} ${fence}` : `${fence}${shown}${fence}`;
}

/** What Markdown interprets. An underscore within a word is plain text. */
const MARKUP = /[\\`*[\]<>|~&]|\b_|_\b|:\/\/|\bwww\.|@/;

/** The same for text within a summary; unchanged if Markdown does not interpret it. */
export const plain = (text: string): string => (MARKUP.test(text) ? code(text) : oneLine(text, MOST));
