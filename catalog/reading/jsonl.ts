import { TEXT_COLUMNS } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import type { Problems } from '../problems.ts';
import { type ColumnMap, mapColumns } from './columns.ts';
import { checkCell, type RawRow, toRawRow } from './raw-row.ts';
import { readLines } from './text.ts';

/** Reads one JSON object per line. Keys are columns, null is an empty cell, and values that are not text are kept as JSON. */
export async function* jsonRows(
  text: AsyncIterable<string>,
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): AsyncGenerator<RawRow> {
  const columnsOf = columnFinder(mapping, problems);
  for await (const { line, text: json } of readLines(text)) {
    const object = parseObject(json);
    if (object === null) {
      const expected = json.startsWith('[')
        ? 'one JSON object per line, without a list around them'
        : 'one JSON object';
      problems.add({ line, column: null, expected, found: quoted(json) });
      continue;
    }
    const twice = keyTwice(json);
    if (twice !== null) {
      problems.add({ line, column: twice, expected: 'one key of that name', found: 'two' });
      continue;
    }
    const [keys, values] = [Object.keys(object), Object.values(object)];
    const columns = columnsOf(keys, line);
    if (columns === null) continue;
    checkText(values, columns, line, problems);
    checkNumbers(values, columns, line, problems);
    yield toRawRow(line, values.map(cellText), columns, problems);
  }
}

/** Prompts are text; a number or a list in their place is a mistake, and would be drawn as spelt. */
function checkText(values: readonly unknown[], columns: ColumnMap, line: number, problems: Problems): void {
  for (const column of TEXT_COLUMNS) {
    const place = columns.known.get(column);
    if (place === undefined) continue;
    const value = values[place.position];
    if (typeof value === 'string' || value === null) continue;
    problems.add({ line, column: place.name, expected: 'text', found: JSON.stringify(value).slice(0, 100) });
  }
}

/**
 * JavaScript keeps 53 bits of a number; report values that it would round instead of changing them. Our other columns
 * have their own limits.
 */
function checkNumbers(values: readonly unknown[], columns: ColumnMap, line: number, problems: Problems): void {
  const id = columns.known.get('id');
  for (const { position, name } of [...(id === undefined ? [] : [id]), ...columns.metadata]) {
    const rounded = roundedNumber(values[position]);
    if (rounded === undefined) continue;
    const expected = `a number up to ${Number.MAX_SAFE_INTEGER}, or its digits in quotes`;
    problems.add({ line, column: name, expected, found: `about ${rounded}` });
  }
}

/** The first number in a value, or in a list or object within it, that may have been rounded. */
function roundedNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.values(value)
    .map(roundedNumber)
    .find((number) => number !== undefined);
}

/** Most rows have the same keys, so a small cache serves a whole catalog. A mapped column may be absent from a row. */
function columnFinder(
  mapping: Readonly<Record<string, string>>,
  problems: Problems,
): (keys: readonly string[], line: number) => ColumnMap | null {
  const answers = new Map<string, ColumnMap>();
  return (keys, line) => {
    const cacheKey = JSON.stringify(keys);
    const answer = answers.get(cacheKey);
    if (answer !== undefined) return answer;
    for (const key of keys) checkCell(key, line, 'the name of a column', problems);
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

/** The first duplicate key of an object, of which JavaScript would keep the last value; `null` if there is none. */
function keyTwice(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  for (const [piece, isKey] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g)) {
    if (piece === '{' || piece === '[') depth += 1;
    else if (piece === '}' || piece === ']') depth -= 1;
    else if (isKey !== undefined && depth === 1) {
      const key: string = JSON.parse(piece.slice(0, -isKey.length));
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return null;
}

function cellText(value: unknown): string {
  if (value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
