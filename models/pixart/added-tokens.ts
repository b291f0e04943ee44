import type { AddedToken } from './tokenizer-definition.ts';

/** A piece of a text: an added token, or normalised text for the model. */
type Piece = { id: number } | { text: string; isFirst: boolean };

type Found = { token: AddedToken } | { text: string; start: number };

// What Rust's regular expressions mean by \w and \s.
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const WORD_AT_END = new RegExp(`${WORD}$`, 'u');
const WORD_AT_START = new RegExp(`^${WORD}`, 'u');
const SPACE = /^\p{White_Space}$/u;

/**
 * Finds added tokens as the Rust library does: first those that are not normalised, in the text as it is, then the others in what
 * lies between them, once that is normalised.
 *
 * Source: huggingface/tokenizers 0.23.3, tokenizer/added_vocabulary.rs.
 */
export function addedTokenFinder(tokens: AddedToken[], normalize: (text: string) => string): (text: string) => Piece[] {
  const findAsIs = finder(new Map(tokens.filter((token) => !token.normalized).map((token) => [token.content, token])));
  const findNormalized = finder(
    new Map(tokens.filter((token) => token.normalized).map((token) => [normalize(token.content), token])),
  );
  return (text) =>
    findAsIs(text).flatMap((part): Piece[] => {
      if ('token' in part) return [{ id: part.token.id }];
      return findNormalized(normalize(part.text)).map((inner) =>
        'token' in inner
          ? { id: inner.token.id }
          : { text: inner.text, isFirst: part.start === 0 && inner.start === 0 },
      );
    });
}

/** Finds the leftmost token and, of those that begin at one place, the longest, even where it then does not count as a word. */
function finder(tokens: Map<string, AddedToken>): (text: string) => Found[] {
  const longestFirst = [...tokens.keys()].filter(Boolean).sort((a, b) => b.length - a.length);
  const pattern = longestFirst.length === 0 ? null : new RegExp(longestFirst.map(escaped).join('|'), 'gu');
  return (text) => {
    const found: Found[] = [];
    let done = 0;
    for (const { 0: content, index } of pattern === null ? [] : text.matchAll(pattern)) {
      const token = tokens.get(content)!;
      const [start, end] = [index, index + content.length];
      if (token.single_word && isWithinWord(text, start, end)) continue;
      const from = token.lstrip ? beforeSpaces(text, start, done) : start;
      const to = token.rstrip ? afterSpaces(text, end) : end;
      if (done < from) found.push({ text: text.slice(done, from), start: done });
      // Nothing is left of a token made of spaces that another one has taken.
      if (from < to) found.push({ token });
      done = to;
    }
    if (done < text.length) found.push({ text: text.slice(done), start: done });
    return found;
  };
}

const escaped = (content: string): string => content.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Two units hold one character, also one beyond the first plane. */
const isWithinWord = (text: string, start: number, end: number): boolean =>
  WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) || WORD_AT_START.test(text.slice(end, end + 2));

function beforeSpaces(text: string, start: number, least: number): number {
  let from = start;
  while (from > least && SPACE.test(text[from - 1]!)) from--;
  return Math.max(from, least);
}

function afterSpaces(text: string, end: number): number {
  let to = end;
  while (to < text.length && SPACE.test(text[to]!)) to++;
  return to;
}
