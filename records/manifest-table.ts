import { z } from 'zod';
import { cellsOf, columnsOf, type Job } from '../domain/job.ts';
import { cellOf, metadataSchema } from '../domain/metadata.ts';
import { byColumn, every } from '../domain/parameters.ts';
import { type Failure, isReceipt, type Receipt } from '../domain/receipt.ts';
import { thriftText } from '../domain/thrift.ts';
import { STAGES, type Stage } from '../domain/timings.ts';
import { runsOf, TURN_CELLS } from '../domain/turns.ts';
import type { CarriedNames } from './carried-names.ts';
import type { RecordFile } from './damaged.ts';
import { jsonLinePieces, parseJsonLines, safeCsv } from './formats.ts';

const milliseconds = z.int().min(0).nullable();

const { id, ...columns } = byColumn(every('value'));

/** One job and what became of it; the columns have the catalog's names where they mean the same. */
const manifestRowSchema = z.object({
  id,
  status: z.enum(['rendered', 'reused', 'failed', 'cancelled']),
  /** The batch's own copy, relative to the store; empty where there is no image. */
  file: z.string(),
  ...columns,
  bytes: z.int().nullable(),
  crc32c: z.string().nullable(),
  /** Of the batch's own copy, where it is signed and not the object's bytes; tables from before it was possible lack them. */
  signed_bytes: z.int().nullable().default(null),
  signed_crc32c: z.string().nullable().default(null),
  /** Whether the end of the prompt was lost on the model; tables from before it was noted lack it. */
  prompt_truncated: z.literal(true).nullable().default(null),
  render_key: z.string(),
  computations: z.int().nullable(),
  /** What rendered it; tables from before it was noted lack it. */
  device: z.string().nullable().default(null),
  wait_ms: milliseconds,
  text_encode_ms: milliseconds,
  denoise_ms: milliseconds,
  decode_ms: milliseconds,
  /** `null` also of images whose `store_ms` includes it. */
  image_encode_ms: milliseconds,
  store_ms: milliseconds,
  /** Of images that were computed beside others less than their stages; `null` in tables from before that was possible. */
  device_ms: milliseconds.default(null),
  /** What was done with less memory than usual, for people; tables from before it was noted lack it. */
  thrift: z.string().nullable().default(null),
  error: z.string().nullable(),
  reason: z.string().nullable(),
  metadata: metadataSchema,
});

export type ManifestRow = z.infer<typeof manifestRowSchema>;

/** As it was when the image's encoding was part of `store_ms`, and the text's was called `encode_ms`. */
const formerRowSchema = z
  .object({
    ...manifestRowSchema.omit({ text_encode_ms: true, image_encode_ms: true }).shape,
    encode_ms: milliseconds,
  })
  .transform(({ encode_ms, ...row }): ManifestRow => ({ ...row, text_encode_ms: encode_ms, image_encode_ms: null }));

const writtenRowSchema = z.union([manifestRowSchema, formerRowSchema]);

/** From an image's turn on the device to its end there. */
export const secondsOnDevice = ({ text_encode_ms, denoise_ms, decode_ms }: ManifestRow): number =>
  ((text_encode_ms ?? 0) + (denoise_ms ?? 0) + (decode_ms ?? 0)) / 1_000;

/** What an image had of the device's time, which it may have shared with others: over a batch, what one device needs for it. */
export const deviceSeconds = (row: ManifestRow): number =>
  row.device_ms === null ? secondsOnDevice(row) : row.device_ms / 1_000;

/** @param outcome `undefined` for a job that no round came to */
export function manifestRow(job: Job, outcome: Receipt | Failure | undefined): ManifestRow {
  const receipt = isReceipt(outcome) ? outcome : null;
  const failure = isReceipt(outcome) ? null : (outcome ?? null);
  const { id, ...columns } = columnsOf(job);
  const ms = (stage: Stage): number | null => {
    const spent = receipt?.timings[STAGES[stage]];
    return spent === undefined ? null : Math.round(spent);
  };
  return {
    id,
    status: receipt?.outcome ?? (failure === null ? 'cancelled' : 'failed'),
    file: receipt?.copy ?? '',
    ...columns,
    bytes: receipt?.bytes ?? null,
    crc32c: receipt?.crc32c ?? null,
    signed_bytes: receipt?.signed?.bytes ?? null,
    signed_crc32c: receipt?.signed?.crc32c ?? null,
    prompt_truncated: receipt?.promptTruncated ?? null,
    render_key: job.renderKey,
    computations: receipt?.computations ?? null,
    device: receipt?.device ?? null,
    wait_ms: ms('wait'),
    text_encode_ms: ms('text_encode'),
    denoise_ms: ms('denoise'),
    decode_ms: ms('decode'),
    image_encode_ms: ms('image_encode'),
    store_ms: ms('store'),
    device_ms: receipt?.timings.deviceMs === undefined ? null : Math.round(receipt.timings.deviceMs),
    thrift: receipt?.thrift === undefined ? null : thriftText(receipt.thrift),
    error: failure?.type ?? null,
    reason: failure?.reason ?? null,
    metadata: job.metadata,
  };
}

const rowCells = (row: ManifestRow): number => cellsOf({ ...row, negativePrompt: row.negative_prompt });

/** A job a line, in pieces. */
export const manifestJsonl = (rows: readonly ManifestRow[]): Generator<Uint8Array> => jsonLinePieces(rows, rowCells);

/** @throws DamagedRecord where a line is not what manifestJsonl writes, or wrote */
export const readManifestJsonl = (bytes: Uint8Array, file: RecordFile): Promise<ManifestRow[]> =>
  parseJsonLines(bytes, writtenRowSchema, file);

/** Base64 may begin with "+", which a spreadsheet takes for a formula; programs find the checksums in the other table. */
const COLUMNS = Object.keys(manifestRowSchema.shape).filter((name) => name !== 'metadata' && !name.endsWith('crc32c'));

/** Whether the table has, or had, a column of its own of that name, so that a catalog's is in `manifest.jsonl` only. */
export const isTableColumn = (name: string): boolean => name === 'encode_ms' || COLUMNS.includes(name);

/** The catalog's other columns that `manifest.csv` has, noted as jobs come. */
export function noteNames({ metadata }: Pick<Job, 'metadata'>, names: CarriedNames): void {
  for (const name of Object.keys(metadata)) if (!isTableColumn(name)) names.placeOf(name);
}

/**
 * The same for a spreadsheet, in pieces, the catalog's other columns at the right, unless they have the name of one of these.
 */
export function* manifestCsv(
  rows: readonly ManifestRow[],
  { names }: Pick<CarriedNames, 'names'>,
): Generator<Uint8Array> {
  yield safeCsv([[...COLUMNS, ...names]], { bom: true });
  for (const run of runsOf(rows, (row) => rowCells(row) + names.length, TURN_CELLS)) {
    const cells = run.map(({ metadata, ...row }) => [
      ...COLUMNS.map((name) => row[name as keyof typeof row]),
      ...names.map((name) => cellOf(metadata, name)),
    ]);
    yield safeCsv(cells);
  }
}
