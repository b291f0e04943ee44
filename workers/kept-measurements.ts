import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Size } from '../domain/size.ts';
import { cacheFolder } from '../infra/dev/tools.mjs';

/** What a measurement holds for. */
export type Measurement<Candidate> = {
  /** What is measured; the folder in the cache. */
  kind: 'children' | 'micro-batches';
  bundleDigest: string;
  size: Size;
  /** The processor or GPU. */
  processor: string;
  onnxruntime: string;
  candidates: readonly Candidate[];
};

/** How many images a minute each candidate made. */
type Rated<Candidate> = Candidate & { imagesPerMinute: number };

type Rates<Candidate> = {
  rates: readonly Rated<Candidate>[];
  /**
   * Whether there was time and memory for all that could have been the best, and nobody else was seen to need the
   * processor meanwhile.
   */
  isWhole: boolean;
};

/** A measurement that others disturbed, or that had too little time for a large model, is made again at another start. */
const UNFINISHED_MS = 24 * 3_600_000;

const keptSchema = z.object({
  format: z.literal(2),
  /** Milliseconds since 1970. */
  until: z.number().nullable(),
  rates: z.array(z.looseObject({ imagesPerMinute: z.number().positive() })),
});

/**
 * Returns what was measured earlier on this machine, or else what `measure` finds, which is kept for the next start.
 *
 * @throws as `measure` does
 */
export async function measuredOnce<Candidate extends Record<string, number>>(
  about: Measurement<Candidate>,
  log: Pick<Logger, 'warn'>,
  measure: () => Promise<Rates<Candidate>>,
): Promise<readonly Rated<Candidate>[]> {
  const kept = await keptMeasurement(about);
  if (kept !== null) return kept;
  const found = await measure();
  await keepMeasurement(about, found).catch((error) =>
    log.warn({ err: error }, 'the cache cannot be written; the next start will measure again'),
  );
  return found.rates;
}

/**
 * What was measured earlier on this machine; `null` where nothing was, or it cannot be read, or is of candidates that
 * were not asked for.
 */
export async function keptMeasurement<Candidate extends Record<string, number>>(
  about: Measurement<Candidate>,
): Promise<Rated<Candidate>[] | null> {
  try {
    const { until, rates } = keptSchema.parse(JSON.parse(await readFile(fileOf(about), 'utf8')));
    const isOf = (candidate: Candidate, rated: Record<string, unknown>): boolean =>
      Object.entries(candidate).every(([name, value]) => rated[name] === value);
    const isAsked = rates.every((rated) => about.candidates.some((candidate) => isOf(candidate, rated)));
    return (until === null || Date.now() < until) && isAsked ? (rates as Rated<Candidate>[]) : null;
  } catch {
    return null;
  }
}

/** @throws Error where the cache cannot be written */
export async function keepMeasurement<Candidate>(
  about: Measurement<Candidate>,
  { rates, isWhole }: Rates<Candidate>,
): Promise<void> {
  const file = fileOf(about);
  const unfinished = `${file}.${randomUUID()}`;
  await mkdir(path.dirname(file), { recursive: true });
  const kept = { format: 2, until: isWhole ? null : Date.now() + UNFINISHED_MS, ...about, rates };
  await writeFile(unfinished, `${JSON.stringify(kept, null, 2)}\n`);
  await rename(unfinished, file);
}

function fileOf({ kind, bundleDigest, size, processor, onnxruntime, candidates }: Measurement<unknown>): string {
  const key = JSON.stringify([bundleDigest, size, processor, onnxruntime, candidates]);
  return path.join(cacheFolder(), kind, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
}
