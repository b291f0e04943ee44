import { isUtf8 } from 'node:buffer';
import { pipeline, Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { z } from 'zod';
import { CATALOG_LIMITS } from '../catalog/catalog-limits.ts';
import { piecesOf } from '../catalog/reading/pieces.ts';
import { isWindows1252, windows1252 } from '../catalog/reading/windows-1252.ts';
import { digestSchema } from '../domain/job.ts';
import { jobIdSchema } from '../domain/job-id.ts';
import { named } from '../domain/printable.mjs';
import { Turns } from '../domain/turns.ts';
import { UserError } from '../domain/user-error.ts';

/** The render keys of the pictures that people rejected, by row id. */
export type Rejected = ReadonlyMap<string, ReadonlySet<string>>;

export const NOTHING_REJECTED: Rejected = new Map();

/** Checking a row takes about as long as this many cells of a table. */
const ROW_CELLS = 20;

const COLUMNS = ['id', 'render_key', 'decision'] as const;

const rowSchema = z.object({
  // A table that is safe in a spreadsheet has an apostrophe before an id that begins with a hyphen.
  id: z
    .string()
    .transform((id) => id.replace(/^'(?=-)/, '').normalize('NFC'))
    .pipe(jobIdSchema),
  render_key: digestSchema,
  decision: z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(['approved', 'rejected', ''], 'approved, rejected or nothing')),
});

type Decision = { id: string; renderKey: string; decision: 'approved' | 'rejected' | '' };

/**
 * The pictures that a table of decisions rejects. The render key says which picture was reviewed, so that the same file
 * does not reject the picture that takes its place.
 *
 * @param file its name in messages
 * @throws UserError as decisionsIn
 */
export async function readDecisions(bytes: Uint8Array, file: string): Promise<Rejected> {
  const rejected = new Map<string, Set<string>>();
  for await (const { id, renderKey, decision } of decisionsIn(bytes, file)) {
    const ofRow = rejected.get(id) ?? new Set();
    if (decision === 'rejected') ofRow.add(renderKey);
    else ofRow.delete(renderKey);
    rejected.set(id, ofRow);
  }
  return rejected;
}

/**
 * Reads the decisions that the contact sheet's page exports: columns `id`, `render_key` and `decision`, and any others.
 * Of two lines about one picture, the later one counts.
 *
 * @param file its name in messages
 * @throws UserError for the first invalid row, with its line number
 */
export async function* decisionsIn(bytes: Uint8Array, file: string): AsyncGenerator<Decision> {
  if (bytes.length > CATALOG_LIMITS.bytes) {
    throw new UserError(`${file}: expected at most ${CATALOG_LIMITS.bytes} bytes of decisions, found ${bytes.length}`);
  }
  const text = asUtf8(bytes, file);
  if (text.length < MOST_EMPTY && Buffer.from(text).toString('utf8').trim() === '') {
    throw new UserError(
      `${file}: expected decisions, found an empty file. Approve or reject images on the batch's page (contact-sheet.html), and export the decisions there`,
    );
  }
  const turns = new Turns();
  for await (const { record, info } of parsed(text, file)) {
    await turns.after(ROW_CELLS);
    const row = rowSchema.safeParse(record);
    if (!row.success) {
      const [issue] = row.error.issues;
      const column = String(issue?.path[0]);
      const found = JSON.stringify(record[column]?.slice(0, 80));
      throw new UserError(`${file}, line ${info.lines}, ${column}: expected ${issue?.message}, found ${found}`);
    }
    const { id, render_key: renderKey, decision } = row.data;
    yield { id, renderKey, decision };
  }
}

/** What an editor may leave in an empty file: a byte-order mark, line ends. */
const MOST_EMPTY = 1_000;

/** Excel saves "CSV" in Windows-1252. @throws UserError for any other text */
function asUtf8(bytes: Uint8Array, file: string): Uint8Array {
  if (isUtf8(bytes)) return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isWindows1252([buffer])) return Buffer.from(windows1252(buffer));
  throw new UserError(`${file}: expected text in UTF-8, as "CSV UTF-8" saves it, found another encoding`);
}

/**
 * The error for decisions that contain none of the wanted kind.
 *
 * @param file its name in messages
 * @param isOfOthers whether there are some, but for images that the batch does not have
 */
export const noneDecided = (file: string, decision: 'approved' | 'rejected', isOfOthers: boolean): UserError =>
  new UserError(
    `${file}: expected at least one row with the decision "${decision}" for an image that the batch has now, ` +
      `found ${isOfOthers ? 'other images' : `none ${decision}`}`,
  );

type Parsed = { record: Record<string, string>; info: { lines: number } };

function checkedHeader(header: string[], file: string): string[] {
  if (COLUMNS.every((column) => header.includes(column))) return header;
  const expected = `the columns ${COLUMNS.join(', ')}, as the contact sheet's page exports them`;
  throw new UserError(`${file}: expected ${expected}, found ${header.slice(0, 20).map(named).join(', ')}`);
}

async function* parsed(bytes: Uint8Array, file: string): AsyncGenerator<Parsed> {
  const [first = new Uint8Array()] = piecesOf(bytes);
  const begin = Buffer.from(first).toString('utf8');
  const parser = parse({
    record_delimiter: ['\r\n', '\n', '\r'],
    bom: true,
    // Some spreadsheets save CSV with semicolons.
    delimiter: /^[^\r\n,]*;/.test(begin) ? ';' : ',',
    columns: (header: string[]) => checkedHeader(header, file),
    info: true,
    skip_empty_lines: true,
  });
  // The loop below receives the parser's errors.
  pipeline(Readable.from(piecesOf(bytes)), parser, () => {});
  try {
    yield* parser as AsyncIterable<Parsed>;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(`${file}: expected CSV with a header, found: ${error.message}`);
  }
}
