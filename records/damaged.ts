import { Buffer, isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import { quoted } from '../domain/printable.mjs';
import { UserError } from '../domain/user-error.ts';
import { shownPlace } from '../store/shown-place.ts';

/** A file of the store that the product itself wrote is not what it writes: another attempt finds it just the same. */
export class DamagedRecord extends UserError {}

/** Where a record lies, and what helps where it is damaged. */
export type RecordFile = {
  /** URL of the store. */
  store: string;
  name: string;
  /** What each line, or the whole, should be: `a job of the plan` */
  holds: string;
  /** Sentences. */
  remedy: string;
};

/**
 * Reads JSON that the product wrote.
 *
 * @param line counted from 1; `null` where the file is one value
 * @throws DamagedRecord where it is no JSON, or not of the schema
 */
export function parseRecord<T>(
  bytes: Uint8Array,
  schema: z.ZodType<T>,
  file: RecordFile,
  line: number | null = null,
): T {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  if (!isUtf8(bytes)) throw damaged(file, line, `bytes that are no UTF-8: ${quoted(text)}`);
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
    throw damaged(file, line, text.trim() === '' ? 'nothing' : `what is no JSON, or a part of it: ${quoted(text)}`);
  }
}

type Issue = z.core.$ZodIssue;

/** Of the kinds that something may be, the one that it is nearest to says what is wrong. */
function likeliestIssue(issues: readonly Issue[]): Issue {
  const [issue] = issues as [Issue];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const nearest = issue.errors.reduce((best, other) => (other.length < best.length ? other : best));
  return nearest.length === 0 ? issue : likeliestIssue(nearest);
}

/** Hears of what is wrong but stops nothing. */
export type Warn = (message: string) => void;

/**
 * Reads a record that is a convenience: where it is damaged, that is told, and the work goes on without.
 *
 * @param without what goes without it, as the beginning of a sentence
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
