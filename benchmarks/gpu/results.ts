import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { median } from '../bench/report.ts';

/** One measurement: some images, or one text, from the first call to the last byte. */
const sampleSchema = z.strictObject({
  /** Wall-clock time for all of the images. */
  seconds: z.number().positive(),
  /** Images that were made in that time; 1 for a text. */
  images: z.int().positive(),
  /** Images that shared a call of the transformer at most. */
  together: z.int().positive().optional(),
  /** Of these seconds, those of an image alone that were steps, and those that were the decoder's. */
  denoiseSeconds: z.number().positive().optional(),
  decodeSeconds: z.number().positive().optional(),
  /** The most that was in use on the device meanwhile, above what was in use before. */
  memoryBytes: z.number().nonnegative().optional(),
  /** PSNR of the picture to the one that a processor makes; null where they are the same to the last bit. */
  decibels: z.number().nullable().optional(),
  /** False if a peer's image contains NaN or infinity; its time counts anyway. */
  isFinite: z.boolean().optional(),
});

export type Sample = z.infer<typeof sampleSchema>;

/** What was measured of an item of the list (items.ts): samples by the names of its series, such as "ours" and "eager". */
const itemSchema = z.strictObject({
  state: z.enum(['done', 'partial', 'failed']),
  series: z.record(z.string(), z.array(sampleSchema)),
  /** Why it failed the last time. */
  error: z.string().optional(),
});

export type ItemResult = z.infer<typeof itemSchema>;

/** Where it was measured: figures of two machines never share a file. */
const machineSchema = z.strictObject({
  /** As the driver calls it, or "cpu". */
  device: z.string(),
  /** Its memory. */
  memoryBytes: z.number().positive(),
  /** Tiny networks, whose figures mean nothing. */
  isToy: z.boolean(),
});

export type Machine = z.infer<typeof machineSchema>;

const runSchema = z.strictObject({
  startedAt: z.string(),
  minutes: z.number().positive(),
  /** Lines for people: processor, versions, driver, commit. */
  facts: z.array(z.string()),
});

/** What `benchmarks/gpu.ts` has measured on one machine, in one run or several. */
const resultsSchema = z.strictObject({
  format: z.literal(1),
  machine: machineSchema,
  runs: z.array(runSchema),
  /** By the names of the list. */
  items: z.record(z.string(), itemSchema),
});

export type Results = z.infer<typeof resultsSchema>;

export const noResults = (machine: Machine): Results => ({ format: 1, machine, runs: [], items: {} });

/**
 * Reads a results file; `null` where there is none.
 *
 * @throws UserError where it is something else
 */
export async function readResults(file: string): Promise<Results | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserError(`${file}: expected a file of results, found ${error.message}. Choose another file.`);
  });
  if (text === null) return null;
  const strange = (found: string) =>
    new UserError(`${file}: expected results of benchmarks/gpu.ts, found ${found}\nChoose another file.`);
  const parsed = resultsSchema.safeParse(parseJson(text, strange));
  if (parsed.success) return parsed.data;
  throw strange(`\n${z.prettifyError(parsed.error)}`);
}

function parseJson(text: string, strange: (found: string) => UserError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw strange('what is not JSON.');
  }
}

/** What is known of a machine before a run; no device where the driver of its GPU does not answer. */
type Here = Partial<Machine> & Pick<Machine, 'isToy'>;

/** @throws UserError where the file has figures of another machine, or of networks of another size */
export function checkMachine(file: string, { machine: before }: Results, now: Here): void {
  const isSame = now.device === undefined ? before.device !== 'cpu' : now.device === before.device;
  if (isSame && before.isToy === now.isToy) return;
  const named = ({ device = 'a GPU', isToy }: Here): string => `${device}${isToy ? ' with toy networks' : ''}`;
  throw new UserError(
    `${file}: expected results of ${named(now)}, this machine, found some of ${named(before)}. Choose another file.`,
  );
}

const unfinished = (file: string): string => `${file}.unfinished`;

/** Replaces the file at once: a run that is killed leaves the last whole one. */
export async function writeResults(file: string, results: Results): Promise<void> {
  await writeFile(unfinished(file), `${JSON.stringify(results, null, 2)}\n`);
  await rename(unfinished(file), file);
}

/** @throws UserError where `writeResults` would fail, which a run would notice after its first figure */
export async function checkWritable(file: string): Promise<void> {
  try {
    await writeFile(unfinished(file), '');
    await rm(unfinished(file));
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(`--results: expected a file that can be written, found ${message}. Choose another.`);
  }
}

/** The samples of a series; none where it was not measured. */
export const samplesOf = (results: Results | null, item: string, series: string): readonly Sample[] =>
  results?.items[item]?.series[series] ?? [];

/** Images that a device makes in a second with everything loaded, from captions to bytes; undefined if not measured. */
export function imagesPerSecond(results: Results, item: string, series = 'ours'): number | undefined {
  const samples = samplesOf(results, item, series);
  return samples.length === 0 ? undefined : median(samples.map(({ images, seconds }) => images / seconds));
}
