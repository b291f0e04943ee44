import { type ColumnMap, mapColumns } from './columns.ts';
import { type Problems, quoted } from './problems.ts';
import { type RawRow, toRawRow } from './raw-row.ts';
import { readLines } from './read-text.ts';

/** Reads one JSON object a line. Keys are columns; null is an empty cell; other values than text travel as JSON. */
export async function* jsonRows(
  text: AsyncIterable<string>,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): AsyncGenerator<RawRow> {
  const columnsOf = columnFinder(mapping, problems);
  for await (const { line, text: json } of readLines(text)) {
    const object = parseObject(json);
    if (object === null) {
      problems.add({ line, column: null, expected: 'one JSON object', found: quoted(json) });
      continue;
    }
    const columns = columnsOf(Object.keys(object), line);
    if (columns !== null) yield toRawRow(line, Object.values(object).map(cellText), columns, problems);
  }
}

/** Rows mostly have the same keys, so a few answers serve a whole catalog. A mapped column may be absent from a row. */
function columnFinder(
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): (keys: readonly string[], line: number) => ColumnMap | null {
  const answers = new Map<string, ColumnMap>();
  return (keys, line) => {
    const cacheKey = JSON.stringify(keys);
    const answer = answers.get(cacheKey);
    if (answer !== undefined) return answer;
    const present = Object.entries(mapping).filter(([column, name]) => column === 'prompt' || keys.includes(name));
    const columns = mapColumns(keys, Object.fromEntries(present), line, problems);
    if (columns !== null && answers.size < 100) answers.set(cacheKey, columns);
    return columns;
  };
}

function parseObject(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? { ...value } : null;
  } catch {
    return null;
  }
}

function cellText(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
