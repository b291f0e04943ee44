import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import { gathered } from '../domain/turns.ts';
import type { RecordFile } from '../records/damaged.ts';
import { jsonLinePieces, parseJsonLines, safeCsv, safeWithin } from '../records/formats.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';

const lineSchema = z.looseObject({ id: z.string() });

/**
 * Rewrites a plan or receipts without the lines of some rows. If none are left, the file is removed: a plan is never empty.
 *
 * @throws DamagedRecord, and the store's errors
 */
export async function rewriteJsonLines(store: ObjectStore, name: string, ids: ReadonlySet<string>): Promise<void> {
  const bytes = await readIfThere(store, name);
  if (bytes === null) return;
  const file: RecordFile = {
    store: store.url,
    name,
    holds: 'one job a line',
    remedy: 'Restore the file, or forget the batch as a whole.',
  };
  const lines = await parseJsonLines(bytes, lineSchema, file);
  const others = lines.filter(({ id }) => !ids.has(id));
  if (others.length === lines.length) return;
  if (others.length === 0) await store.remove(name);
  else await store.replace(name, await gathered(jsonLinePieces(others, () => LINE_CELLS)), 'application/x-ndjson');
}

const LINE_CELLS = 30;

/** A line of `changes.csv`; its first line has the columns. */
type Cells = string[];

/** Removes the first of the apostrophes that keep a spreadsheet from reading formulas: see safeCsv. */
const plain = (cell: string): string => cell.replace(/^'(?=[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])/, '');

/** The lines of a table of changes. */
export const changesOf = (bytes: Uint8Array): Cells[] =>
  (parse(Buffer.from(bytes), { bom: true, relax_column_count: true }) as Cells[]).map((cells) => cells.map(plain));

/** Whether a line is about something forgotten: a row, by its id, or a text that the row had before or has now. */
export function isForgotten(ids: ReadonlySet<string>, texts: ReadonlySet<string>): (line: Cells) => boolean {
  // Earlier versions wrote no apostrophes within a text.
  const written = new Set([...texts].flatMap((text) => [text, plain(safeWithin(text))]));
  return ([, id = '', , before = '', now = '']) => ids.has(id) || written.has(before) || written.has(now);
}

/** Rewrites a table of changes without some of its lines. */
export async function rewriteChanges(
  store: ObjectStore,
  name: string,
  isGone: (cells: Cells) => boolean,
): Promise<void> {
  const bytes = await readIfThere(store, name);
  if (bytes === null) return;
  const [header, ...lines] = changesOf(bytes);
  const others = lines.filter((cells) => !isGone(cells));
  if (header === undefined || others.length === lines.length) return;
  await store.replace(
    name,
    Buffer.concat([safeCsv([header], { bom: true }), safeCsv(others)]),
    'text/csv; charset=utf-8',
  );
}
