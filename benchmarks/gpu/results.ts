import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { median } from '../bench/report.ts';

/** One measurement: some images, or one text, from the first call to the last byte. */
const sampleSchema = z.strictObject({
  /** Wall-clock time for all of the images. */
  seconds: z.number().positive(),
  /** How many images were made in that time; 1 for a text. */
  images: z.int().positive(),
  /** The largest number of images that shared a call of the transformer. */
  together: z.int().positive().optional(),
  /** How the seconds of a single image divide into steps and decoding. */
  denoiseSeconds: z.number().positive().optional(),
  decodeSeconds: z.number().positive().optional(),
  /** The peak of memory on the device meanwhile, above what was in use before. */
  memoryBytes: z.number().nonnegative().optional(),
  /** PSNR between the image and that of a processor; `null` if they are identical. */
  decibels: z.number().nullable().optional(),
  /** False if a peer's image contains NaN or infinity; its time counts anyway. */
  isFinite: z.boolean().optional(),
});

export type Sample = z.infer<typeof sampleSchema>;

/** The samples of an item of the list (items.ts), by the names of its series, such as "ours" and "eager". */
const itemSchema = z.strictObject({
  state: z.enum(['done', 'partial', 'failed']),
  series: z.record(z.string(), z.array(sampleSchema)),
  /** Why the last try failed. */
  error: z.string().optional(),
});

export type ItemResult = z.infer<typeof itemSchema>;

/** The machine that was measured: figures of two machines never share a file. */
const machineSchema = z.strictObject({
  /** Its name in the driver, or "cpu". */
  device: z.string(),
  /** Memory of the GPU. */
  memoryBytes: z.number().positive(),
  /** Whether the networks were tiny ones, whose figures mean nothing. */
  isToy: z.boolean(),
});

export type Machine = z.infer<typeof machineSchema>;

const runSchema = z.strictObject({
  startedAt: z.string(),
  minutes: z.number().positive(),
  /** Lines for people: processor, versions, driver, commit. */
  facts: z.array(z.string()),
});

/** Everything that `benchmarks/gpu.ts` measured on one machine, in one or several runs. */
const resultsSchema = z.strictObject({
  format: z.literal(1),
  machine: machineSchema,
  runs: z.array(runSchema),
  /** By the names of the items in the list. */
  items: z.record(z.string(), itemSchema),
});

export type Results = z.infer<typeof resultsSchema>;

export const noResults = (machine: Machine): Results => ({ format: 1, machine, runs: [], items: {} });

/**
 * Reads a results file; `null` if there is none.
 *
 * @throws UserError if it is something else
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

/** What is known about a machine before a run; without a device if the GPU's driver does not answer. */
type Here = Partial<Machine> & Pick<Machine, 'isToy'>;

/** @throws UserError if the file has figures of another machine, or of networks of another size */
export function checkMachine(file: string, { machine: before }: Results, now: Here): void {
  const isSame = now.device === undefined ? before.device !== 'cpu' : now.device === before.device;
  if (isSame && before.isToy === now.isToy) return;
  const named = ({ device = 'a GPU', isToy }: Here): string => `${device}${isToy ? ' with toy networks' : ''}`;
  throw new UserError(
    `${file}: expected results of ${named(now)}, this machine, found some of ${named(before)}. Choose another file.`,
  );
}

const unfinished = (file: string): string => `${file}.unfinished`;

/** Replaces the file atomically: if a run is killed, the previous one stays. */
export async function writeResults(file: string, results: Results): Promise<void> {
  await writeFile(unfinished(file), `${JSON.stringify(results, null, 2)}\n`);
  await rename(unfinished(file), file);
}

/** @throws UserError if `writeResults` would fail, which a run would otherwise notice only after its first figure */
export async function checkWritable(file: string): Promise<void> {
  try {
    await writeFile(unfinished(file), '');
    await rm(unfinished(file));
  } catch (error) {
    const { message } = error as Error;
    throw new UserError(`--results: expected a file that can be written, found ${message}. Choose another.`);
  }
}

/** The samples of a series; none if it was not measured. */
export const samplesOf = (results: Results | null, item: string, series: string): readonly Sample[] =>
  results?.items[item]?.series[series] ?? [];

/** Images per second with everything loaded, from captions to bytes; `undefined` if it was not measured. */
export function imagesPerSecond(results: Results, item: string, series = 'ours'): number | undefined {
  const samples = samplesOf(results, item, series);
  return samples.length === 0 ? undefined : median(samples.map(({ images, seconds }) => images / seconds));
}
