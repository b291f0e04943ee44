import { createHash } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { crc32c } from '../store/crc32c.ts';
import { shownPlace } from '../store/index.ts';

/** The record that an export keeps beside its files, by which a later export recognises them. */
export const RECORD_NAME = 'export.json';

/** The maximum size of a record, enough for about a million files. */
export const MOST_RECORD_BYTES = 2 ** 28;

export const RECORD_TYPE = 'application/json';

const exportedSchema = z.object({
  batch: z.string(),
  /** A digest of everything that decides the file: the picture and the requested look. */
  from: z.string(),
  bytes: z.int().min(0),
  crc32c: z.string(),
  sha256: z.string(),
});

/** A file that an export wrote. */
export type Exported = z.infer<typeof exportedSchema>;

const recordSchema = z.object({ format: z.literal(1), files: z.record(z.string(), exportedSchema) });

/** The files that exports wrote to one place, by their names there. */
export type ExportRecord = ReadonlyMap<string, Exported>;

export const exportedOf = (batch: string, from: string, data: Uint8Array): Exported => ({
  batch,
  from,
  bytes: data.length,
  crc32c: crc32c(data),
  sha256: createHash('sha256').update(data).digest('hex'),
});

/** One file a line, sorted by name, so that the same files give the same record. */
export function encodeRecord(record: ExportRecord): Uint8Array {
  const names = [...record.keys()].sort();
  const lines = names.map((name) => `${JSON.stringify(name)}: ${JSON.stringify(record.get(name))}`);
  return Buffer.from(`{"format": 1, "files": {\n${lines.join(',\n')}\n}}\n`);
}

/**
 * @param place where it was found, for messages
 * @throws UserError if another file has its name, or it is damaged
 */
export function decodeRecord(bytes: Uint8Array | null, place: string): ExportRecord {
  if (bytes === null) return new Map();
  try {
    return new Map(Object.entries(recordSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).files));
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
    throw new UserError(
      `${shownPlace(place)}: expected the record of earlier exports, found something else: export to another place, or move that file away`,
    );
  }
}
