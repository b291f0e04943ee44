import { Buffer, isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { quoted } from '../domain/printable.mjs';
import { UserError } from '../domain/user-error.ts';
import { shownPlace } from '../store/shown-place.ts';

/** A file that the product wrote to the store does not hold what it writes. Retrying does not help: the file stays as it is. */
export class DamagedRecord extends UserError {}

/** Where a record is stored, and what to do if it is damaged. */
export type RecordFile = {
  /** URL of the store. */
  store: string;
  name: string;
  /** What each line, or the whole file, should be: `a job of the plan`. */
  holds: string;
  /** Sentences. */
  remedy: string;
};

/**
 * Reads JSON that the product wrote.
 *
 * @param line counted from 1; `null` if the file is one value
 * @throws DamagedRecord if it is not JSON, or does not match the schema
 */
export function parseRecord<T>(
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  file: RecordFile,
  line: number | null = null,
): T {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!isUtf8(bytes)) throw damaged(file, line, `bytes that are not UTF-8: ${quoted(text)}`);
  const result = schema.safeParse(parsed(text, file, line));
  if (result.success) return result.data;
  const { path, message } = likeliestIssue(result.error.issues);
  const where = path.length === 0 ? '' : `${path.join('.')}: `;
  throw damaged(file, line, `${where}${message}, in ${quoted(text)}`);
}

/** @param found completes a sentence: "expected a job, found …" */
export function damaged({ store, name, holds, remedy }: RecordFile, line: number | null, found: string): DamagedRecord {
  const place = `${name} in ${shownPlace(store)}${line === null ? '' : `, line ${line}`}`;
  return new DamagedRecord(`${place} is damaged: expected ${holds}, found ${found}. ${remedy}`);
}

function parsed(text: string, file: RecordFile, line: number | null): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw damaged(file, line, text.trim() === '' ? 'nothing' : `invalid or incomplete JSON: ${quoted(text)}`);
  }
}

type Issue = z.core.$ZodIssue;

/** The issue of the union's member that the value comes closest to. */
function likeliestIssue(issues: readonly Issue[]): Issue {
  const [issue] = issues as [Issue];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const nearest = issue.errors.reduce((best, other) => (other.length < best.length ? other : best));
  return nearest.length === 0 ? issue : likeliestIssue(nearest);
}

/** Receives problems that stop nothing. */
export type Warn = (message: string) => void;

/**
 * Reads an optional record: if it is damaged, this warns and returns `null`, and work continues without it.
 *
 * @param without what is missing without it, as the beginning of a sentence
 */
export async function orWarn<T>(warn: Warn, without: string, read: () => T | Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    warn(`${without}: ${error.message}`);
    return null;
  }
}
