import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { digestSchema } from './job.ts';
import { LIMITS } from './limits.ts';
import { UserError } from './user-error.ts';

/** What people said of images: the render key of each picture that they rejected, by its row's id. */
export type Rejected = ReadonlyMap<string, string>;

export const NOTHING_REJECTED: Rejected = new Map();

const rowSchema = z.object({
  id: z.string().min(1, 'an id'),
  render_key: digestSchema,
  decision: z.string('approved or rejected'),
});

/**
 * Reads the decisions that the contact sheet's page exports: columns `id`, `render_key` and `decision`, others beside them as people
 * like. The render key tells which picture was looked at, so that the same file does not reject the picture that takes its place.
 *
 * @param file what messages call it
 * @throws UserError for the first row that is not one, with its line
 */
export function readDecisions(bytes: Uint8Array, file: string): Rejected {
  if (bytes.length > LIMITS.bytes) {
    throw new UserError(`${file}: expected at most ${LIMITS.bytes} bytes of decisions, found ${bytes.length}`);
  }
  const rejected = new Map<string, string>();
  for (const { record, info } of parsed(bytes, file)) {
    const row = rowSchema.safeParse(record);
    if (!row.success) {
      const [issue] = row.error.issues;
      const column = String(issue?.path[0]);
      const found = record[column] === undefined ? 'no such column' : JSON.stringify(record[column].slice(0, 80));
      throw new UserError(
        `${file}, line ${info.lines}, ${column}: expected ${issue?.message}, found ${found}; the contact sheet's page exports such a file`,
      );
    }
    const { id, render_key, decision } = row.data;
    if (decision.trim().toLowerCase() === 'rejected') rejected.set(id, render_key);
  }
  return rejected;
}

type Parsed = { record: Record<string, string>; info: { lines: number } };

function parsed(bytes: Uint8Array, file: string): Parsed[] {
  try {
    return parse(Buffer.from(bytes), {
      record_delimiter: ['\r\n', '\n', '\r'],
      bom: true,
      columns: true,
      info: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UserError(`${file}: expected CSV with a header, found: ${error.message}`);
  }
}
