const WORD = /[\p{L}\p{N}]+/gu;

/** An HTML character reference is not a word. */
const ENTITY = /&(?:#\d+|#x[\da-f]+|[a-z]+);/gi;

/** Full-width letters and ligatures count as the plain letters. */
const wordsOf = (text: string): string[] =>
  text.replaceAll(ENTITY, ' ').normalize('NFKC').toLowerCase().match(WORD) ?? [];

/** Nothing but punctuation and white space. */
export const isWordless = (text: string): boolean => !/[\p{L}\p{N}\p{S}]/u.test(text);

/** Whether a text has lost words in cleaning; repeated words are counted. */
export function losesWords(before: string, after: string): boolean {
  if (isSame(before, after)) return false;
  const left = new Map<string, number>();
  for (const word of wordsOf(after)) left.set(word, (left.get(word) ?? 0) + 1);
  return wordsOf(before).some((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count <= 0;
  });
}

/** Equal except for the case of ASCII letters. */
const isSame = (before: string, after: string): boolean =>
  before === after || (before.length === after.length && ASCII.test(before) && before.toLowerCase() === after);

const ASCII = /^[\x20-\x7e]*$/;
