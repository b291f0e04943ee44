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

/** One job and its outcome. Columns have the same names as the catalog's if they mean the same. */
const manifestRowSchema = z.object({
  id,
  status: z.enum(['rendered', 'reused', 'failed', 'cancelled']),
  /** The batch's own copy, relative to the store; empty if there is no image. */
  file: z.string(),
  ...columns,
  bytes: z.int().nullable(),
  crc32c: z.string().nullable(),
  /** For the batch's own copy, if signing made its bytes differ from the object's; older tables lack the columns. */
  signed_bytes: z.int().nullable().default(null),
  signed_crc32c: z.string().nullable().default(null),
  /** Whether the model read only the beginning of the prompt; older tables lack it. */
  prompt_truncated: z.literal(true).nullable().default(null),
  render_key: z.string(),
  computations: z.int().nullable(),
  /** The device that rendered it; older tables lack it. */
  device: z.string().nullable().default(null),
  wait_ms: milliseconds,
  text_encode_ms: milliseconds,
  denoise_ms: milliseconds,
  decode_ms: milliseconds,
  /** `null` also for images whose `store_ms` includes it. */
  image_encode_ms: milliseconds,
  store_ms: milliseconds,
  /** Less than the sum of the stages for images computed beside others; `null` in older tables. */
  device_ms: milliseconds.default(null),
  /** The measures that saved memory, in words; older tables lack it. */
  thrift: z.string().nullable().default(null),
  error: z.string().nullable(),
  reason: z.string().nullable(),
  metadata: metadataSchema,
});

export type ManifestRow = z.infer<typeof manifestRowSchema>;

/** The format from when image encoding was part of `store_ms`, and text encoding was called `encode_ms`. */
const formerRowSchema = z
  .object({
    ...manifestRowSchema.omit({ text_encode_ms: true, image_encode_ms: true }).shape,
    encode_ms: milliseconds,
  })
  .transform(({ encode_ms, ...row }): ManifestRow => ({ ...row, text_encode_ms: encode_ms, image_encode_ms: null }));

const writtenRowSchema = z.union([manifestRowSchema, formerRowSchema]);

/** From an image's start on the device to its end there. */
export const secondsOnDevice = ({ text_encode_ms, denoise_ms, decode_ms }: ManifestRow): number =>
  ((text_encode_ms ?? 0) + (denoise_ms ?? 0) + (decode_ms ?? 0)) / 1_000;

/** An image's share of device time, since it may have run beside others; summed over a batch, the time that one device needs. */
export const deviceSeconds = (row: ManifestRow): number =>
  row.device_ms === null ? secondsOnDevice(row) : row.device_ms / 1_000;

/** @param outcome `undefined` for a job that no round reached */
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

/** One job a line, in pieces. */
export const manifestJsonl = (rows: readonly ManifestRow[]): Generator<Uint8Array> => jsonLinePieces(rows, rowCells);

/** @throws DamagedRecord if a line is not one that this or an earlier version's manifestJsonl writes */
export const readManifestJsonl = (bytes: Uint8Array, file: RecordFile): Promise<ManifestRow[]> =>
  parseJsonLines(bytes, writtenRowSchema, file);

/** Base64 may begin with "+", which a spreadsheet takes for a formula; programs find checksums in the JSONL table. */
const COLUMNS = Object.keys(manifestRowSchema.shape).filter((name) => name !== 'metadata' && !name.endsWith('crc32c'));

/** Whether the table has, or had, its own column of that name; a catalog's column is then in `manifest.jsonl` only. */
export const isTableColumn = (name: string): boolean => name === 'encode_ms' || COLUMNS.includes(name);

/** Notes a job's catalog columns that go into `manifest.csv`. */
export function noteNames({ metadata }: Pick<Job, 'metadata'>, names: CarriedNames): void {
  for (const name of Object.keys(metadata)) if (!isTableColumn(name)) names.placeOf(name);
}

/**
 * The table for a spreadsheet, in pieces, with the catalog's other columns at the right, unless one of the table's has
 * the same name.
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
