import { parse } from 'csv-parse/sync';

/** What separates cells where it is no comma: a semicolon is Excel's in countries that write 4,5. */
const OTHERS = [';', '\t', '|'];

const SEP_LINE = /^"?sep=([^\n"]?)"?[^\S\n]*(\n|$)/i;

/** The text of a table and what separates its cells. */
export type Separated = { separator: string; text: AsyncIterable<string> };

/**
 * Finds out what separates the cells of a .csv: what its line "sep=;" says, which only Excel reads and writes; else a comma, unless the
 * header has the column of the prompt only with another.
 * @param hasPrompt says of the names in a header whether one is that of the prompt
 */
export async function findSeparator(
  text: AsyncIterable<string>,
  hasPrompt: (names: readonly string[]) => boolean,
): Promise<Separated> {
  const blocks = text[Symbol.asyncIterator]();
  const first = await blocks.next();
  if (first.done) return { separator: ',', text };
  const start = first.value;
  const rest = { [Symbol.asyncIterator]: () => blocks };
  const said = SEP_LINE.exec(start)?.[1];
  if (said !== undefined) return { separator: said || ',', text: chain(withoutSepLine(start), rest) };
  const separator = [',', ...OTHERS].find((candidate) => hasPrompt(headerOf(start, candidate))) ?? ',';
  return { separator, text: chain(start, rest) };
}

/** An empty line stays in its place, so that lines keep their numbers. */
export const withoutSepLine = (start: string): string => start.replace(SEP_LINE, '$2');

/** None where the quotes of the line do not add up: the reader of the whole table tells it. */
function headerOf(start: string, delimiter: string): string[] {
  try {
    const [names = []] = parse(start, { delimiter, to: 1, relax_column_count: true, skip_empty_lines: true });
    return names;
  } catch {
    return [];
  }
}

async function* chain(first: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}
