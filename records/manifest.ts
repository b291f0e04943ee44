import { z } from 'zod';
import type { Job } from '../domain/job.ts';
import { digestSchema } from '../domain/job.ts';
import { metadataSchema } from '../domain/metadata.ts';
import { failureSchema, type JobOutcome, receiptSchema, type Totals, totalsSchema } from '../domain/receipt.ts';
import { runsOf, TURN_BYTES } from '../domain/turns.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { newestManifest } from './manifest-files.ts';

/** The batch's result, written to `batches/<batch>/manifest.json`. */
export const manifestSchema = z.strictObject({
  format: z.literal(1),
  batch: z.string(),
  round: z.int().positive(),
  state: z.enum(['completed', 'cancelled']),
  bundle: z.strictObject({ name: z.string(), digest: digestSchema }),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  totals: totalsSchema,
  images: z.array(receiptSchema.extend({ prompt: z.string(), metadata: metadataSchema })),
  failures: z.array(failureSchema.extend({ prompt: z.string(), metadata: metadataSchema })),
});

export type Manifest = z.infer<typeof manifestSchema>;

const headSchema = z.object(manifestSchema.omit({ images: true, failures: true }).shape);

/** What a manifest says about the batch as a whole. */
export type ManifestHead = z.infer<typeof headSchema>;

/**
 * The head of a batch's newest manifest, read from its first line, since the whole may be too long for one string.
 * `null` if it has no manifest, or an incomplete one.
 */
export async function findManifestHead(store: ObjectStore, batch: string): Promise<ManifestHead | null> {
  const bytes = await readIfThere(store, (await newestManifest(store, batch)).json);
  return bytes && headOf(bytes);
}

/** The head of a manifest; `null` if the manifest is incomplete. */
export function headOf(manifest: Uint8Array): ManifestHead | null {
  if (!Buffer.from(manifest.subarray(-END.length)).equals(END)) return null;
  const line = Buffer.from(manifest.subarray(0, manifest.indexOf(NEWLINE))).toString('utf8');
  try {
    return headSchema.parse(JSON.parse(line.replace(/,$/, '}')));
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** How many rows of each status the table beside a manifest has. */
export type RowCounts = Pick<Totals, 'rendered' | 'reused' | 'failed' | 'cancelled'>;

/** The row counts of the manifest of that name; `null` if it is missing or incomplete. */
export async function findRowCounts(store: ObjectStore, name: string): Promise<RowCounts | null> {
  const bytes = await readIfThere(store, name);
  const head = bytes && headOf(bytes);
  if (head === null) return null;
  const { rendered, reused, failed, cancelled } = head.totals;
  return { rendered, reused, failed: failed - occurrences(bytes!, WITHOUT_ROW), cancelled };
}

/** How a failure ends that stands for a shard without a plan; the failure of a job always has a prompt. */
const WITHOUT_ROW = Buffer.from('"prompt":"","metadata":{}}');

function occurrences(bytes: Uint8Array, sought: Buffer): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found = 0;
  for (let at = buffer.indexOf(sought); at >= 0; at = buffer.indexOf(sought, at + 1)) found += 1;
  return found;
}

const NEWLINE = 0x0a;
const END = Buffer.from(']}\n');

/** A job's entry in the manifest: its outcome and where it came from, as one line of JSON. */
export const manifestEntry = (outcome: JobOutcome, { prompt, metadata }: Pick<Job, 'prompt' | 'metadata'>): string =>
  JSON.stringify({ ...outcome, prompt, metadata });

/**
 * The manifest's bytes in pieces, one image a line, so that people can read and `grep` it, and no string has to hold a whole night.
 *
 * @param images lines from manifestEntry, as are `failures`
 */
export function* manifestPieces(
  head: Omit<Manifest, 'format' | 'images' | 'failures'>,
  images: readonly string[],
  failures: readonly string[],
): Generator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify({ format: 1, ...head }).slice(0, -1)},\n`);
  yield* list('images', images);
  yield Buffer.from(',\n');
  yield* list('failures', failures);
  yield Buffer.from('}\n');
}

function* list(name: string, entries: readonly string[]): Generator<Uint8Array> {
  let before = `"${name}":[\n`;
  for (const run of runsOf(entries, (line) => line.length, TURN_BYTES)) {
    yield Buffer.from(before + run.join(',\n'));
    before = ',\n';
  }
  yield Buffer.from(entries.length === 0 ? `"${name}":[]` : ']');
}
