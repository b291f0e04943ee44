import { z } from 'zod';
import { digestSchema } from './job.ts';
import { jobIdSchema } from './job-id.ts';
import { thriftSchema } from './thrift.ts';
import { timingsSchema } from './timings.ts';

/**
 * The result of rendering one job. Here, and in everything read from a store, fields added by later versions are ignored:
 * workers of two versions share a batch while a fleet is upgraded.
 */
export const receiptSchema = z.object({
  id: jobIdSchema,
  renderKey: digestSchema,
  /** Name of the shared object and of the batch's own copy, both relative to the store. */
  object: z.string(),
  copy: z.string(),
  /** Size of the shared object. */
  bytes: z.int().positive(),
  /** Base64 of the big-endian CRC-32C, as Cloud Storage prints it. */
  crc32c: z.string(),
  /** Size and checksum of the batch's own copy if it is signed; otherwise it has the object's bytes. */
  signed: z.object({ bytes: z.int().positive(), crc32c: z.string() }).optional(),
  /** The prompt has more tokens than the model reads: its end did not count. */
  promptTruncated: z.literal(true).optional(),
  width: z.int().positive(),
  height: z.int().positive(),
  outcome: z.enum(['rendered', 'reused']),
  /** Computations begun for this job, including killed attempts; 0 for a reused image, unless another worker was faster. */
  computations: z.int().min(0),
  /** Denoising steps computed for this job, as far as lost attempts reported them; absent in receipts of earlier versions. */
  stepsComputed: z.int().min(0).optional(),
  /** The device that rendered it; absent for a reused image, and in receipts of earlier versions. */
  device: z.string().max(200).optional(),
  /** The measures taken to save memory, if there was not enough. */
  thrift: thriftSchema.optional(),
  /** The most images that shared a call of the transformer with this one, itself included; missing where none did. */
  microBatch: z.int().min(2).optional(),
  timings: timingsSchema,
});

export type Receipt = z.infer<typeof receiptSchema>;

/** Computations that produced no object: killed attempts, and one that lost a race to another worker. */
export const extraComputations = ({ outcome, computations }: Pick<Receipt, 'outcome' | 'computations'>): number =>
  outcome === 'rendered' ? computations - 1 : computations;

/** A job that will not be rendered in this batch, and why. */
export const failureSchema = z.object({
  id: jobIdSchema,
  /** The application error's type, such as `ObjectConflict`. */
  type: z.string(),
  reason: z.string(),
  attempts: z.int().min(0),
});

export type Failure = z.infer<typeof failureSchema>;

/** The outcome of one job. */
export type JobOutcome = Receipt | Failure;

/** Whether a job's outcome is an image; `undefined` means the job was never started. */
export const isReceipt = (outcome: JobOutcome | undefined): outcome is Receipt =>
  outcome !== undefined && 'renderKey' in outcome;

export const totalsSchema = z.strictObject({
  jobs: z.int().min(0),
  rendered: z.int().min(0),
  reused: z.int().min(0),
  failed: z.int().min(0),
  /** Jobs that were never started because the batch was cancelled. */
  cancelled: z.int().min(0),
  /** Computations begun beyond one per rendered job: see extraComputations. */
  extraComputations: z.int().min(0),
});

export type Totals = z.infer<typeof totalsSchema>;
