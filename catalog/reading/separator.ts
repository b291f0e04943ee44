import { parse } from 'csv-parse/sync';

/** Other separators than the comma: Excel uses semicolons in countries that write 4,5. */
const OTHERS = [';', '\t', '|'];

const SEP_LINE = /^"?sep=([^\n"]?)"?[^\S\n]*(\n|$)/i;

/** The text of a table and its separator. */
type Separated = { separator: string; text: AsyncIterable<string> };

/**
 * Finds the separator of a .csv: from its line "sep=;", which only Excel reads and writes; otherwise a comma, unless only
 * another separator makes the header contain the prompt's column, or more columns than one.
 * @param hasPrompt whether one of the names in a header is the prompt's
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
  return { separator: separatorOf(start, hasPrompt), text: chain(start, rest) };
}

function separatorOf(start: string, hasPrompt: (names: readonly string[]) => boolean): string {
  const found = [',', ...OTHERS].find((candidate) => hasPrompt(headerOf(start, candidate)));
  if (found !== undefined) return found;
  const isOneColumn = headerOf(start, ',').length === 1;
  return (isOneColumn && OTHERS.find((candidate) => headerOf(start, candidate).length > 1)) || ',';
}

/** Leaves an empty line in its place, so that lines keep their numbers. */
export const withoutSepLine = (start: string): string => start.replace(SEP_LINE, '$2');

/** Empty if the quotes of the line are unbalanced: the reader of the whole table reports that. */
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
