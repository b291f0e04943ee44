/**
 * Texts that can be counted, and made one at a time by their index: a product of parts, in which the last one varies
 * fastest, like the digits of a number.
 */
export type Texts = { count: bigint; at(index: bigint): Made };

/** One text, and the choices made for it at the outermost level, in order. */
export type Made = { text: string; choices: Choice[] };

/** `label` is the name of a terms file or of a column; null for braces. */
export type Choice = { label: string | null; text: string };

/** Counts are capped here: nobody renders that many, and numbers must not grow without bound. */
export const UNCOUNTABLE = 10n ** 300n;

const bounded = (count: bigint): bigint => (count > UNCOUNTABLE ? UNCOUNTABLE : count);

export const literal = (text: string): Texts => ({ count: 1n, at: () => ({ text, choices: [] }) });

/** All parts in sequence, in every combination. */
export function sequence(parts: readonly Texts[]): Texts {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return {
    count: parts.reduce((product, { count }) => bounded(product * count), 1n),
    at(index) {
      const made: Made[] = [];
      let rest = index;
      for (const part of parts.toReversed()) {
        made.push(part.at(rest % part.count));
        rest /= part.count;
      }
      made.reverse();
      return { text: made.map(({ text }) => text).join(''), choices: made.flatMap(({ choices }) => choices) };
    },
  };
}

/** One of several texts; nested choices count as part of it. */
export function choice(label: string | null, alternatives: readonly Texts[]): Texts {
  const starts: bigint[] = [];
  let count = 0n;
  for (const alternative of alternatives) {
    starts.push(count);
    count = bounded(count + alternative.count);
  }
  return {
    count,
    at(index) {
      const chosen = lastNotAbove(starts, index);
      const { text } = alternatives[chosen]!.at(index - starts[chosen]!);
      return { text, choices: [{ label, text: text.trim() }] };
    },
  };
}

/** The position of the last number that is not above `index`, in ascending numbers that begin with 0. */
function lastNotAbove(starts: readonly bigint[], index: bigint): number {
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= index) low = middle;
    else high = middle;
  }
  return low;
}
