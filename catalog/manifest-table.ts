import { stringify } from 'csv-stringify/sync';
import { z } from 'zod';
import type { Job } from './job.ts';
import type { Failure, Receipt } from './receipt.ts';
import { sizeSchema } from './size.ts';

const milliseconds = z.int().min(0).nullable();

/** One job and what became of it; the columns have the catalog's names where they mean the same. */
const manifestRowSchema = z.strictObject({
  id: z.string(),
  status: z.enum(['rendered', 'reused', 'failed', 'cancelled']),
  /** The batch's own copy, relative to the store; empty where there is no image. */
  file: z.string(),
  prompt: z.string(),
  negative_prompt: z.string(),
  size: sizeSchema,
  width: z.int(),
  height: z.int(),
  seed: z.int(),
  steps: z.int(),
  guidance: z.number(),
  bytes: z.int().nullable(),
  crc32c: z.string().nullable(),
  render_key: z.string(),
  computations: z.int().nullable(),
  wait_ms: milliseconds,
  encode_ms: milliseconds,
  denoise_ms: milliseconds,
  decode_ms: milliseconds,
  store_ms: milliseconds,
  error: z.string().nullable(),
  reason: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
});

export type ManifestRow = z.infer<typeof manifestRowSchema>;

/** @param outcome `undefined` for a job that no round came to */
export function manifestRow(job: Job, outcome: Receipt | Failure | undefined): ManifestRow {
  const receipt = outcome !== undefined && 'renderKey' in outcome ? outcome : null;
  const failure = outcome !== undefined && receipt === null ? (outcome as Failure) : null;
  const ms = (stage: keyof Receipt['timings']) => (receipt === null ? null : Math.round(receipt.timings[stage]));
  return {
    id: job.id,
    status: receipt?.outcome ?? (failure === null ? 'cancelled' : 'failed'),
    file: receipt?.copy ?? '',
    prompt: job.prompt,
    negative_prompt: job.negativePrompt,
    size: job.size,
    width: job.width,
    height: job.height,
    seed: job.seed,
    steps: job.steps,
    guidance: job.guidance,
    bytes: receipt?.bytes ?? null,
    crc32c: receipt?.crc32c ?? null,
    render_key: job.renderKey,
    computations: receipt?.computations ?? null,
    wait_ms: ms('waitMs'),
    encode_ms: ms('encodeMs'),
    denoise_ms: ms('denoiseMs'),
    decode_ms: ms('decodeMs'),
    store_ms: ms('storeMs'),
    error: failure?.type ?? null,
    reason: failure?.reason ?? null,
    metadata: job.metadata,
  };
}

/** A job a line. */
export const manifestJsonl = (rows: readonly ManifestRow[]): string =>
  rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** @throws z.ZodError or SyntaxError where a line is not what manifestJsonl writes */
export const readManifestJsonl = (text: string): ManifestRow[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => manifestRowSchema.parse(JSON.parse(line)));

/**
 * The same for a spreadsheet (RFC 4180, UTF-8 with the byte-order mark that Excel wants), the catalog's other columns at the
 * right. A cell that a spreadsheet would take for a formula gets an apostrophe in front
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function manifestCsv(rows: readonly ManifestRow[]): string {
  const others = [...new Set(rows.flatMap(({ metadata }) => Object.keys(metadata)))];
  const cells = rows.map(({ metadata, ...row }) => [...Object.values(row), ...others.map((name) => metadata[name])]);
  const header = [...COLUMNS, ...others.map((name) => (COLUMNS.includes(name) ? `catalog:${name}` : name))];
  return stringify([header, ...cells], { bom: true, escape_formulas: true, record_delimiter: '\r\n' });
}

const COLUMNS = Object.keys(manifestRowSchema.shape).filter((name) => name !== 'metadata');
