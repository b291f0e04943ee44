import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Line, table } from './report.ts';

/** The options that every part of the bench accepts. */
export const PART_OPTIONS = {
  rounds: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
  scratch: { type: 'string' },
  real: { type: 'string' },
} as const;

/** Prints a part's lines, for `npm run bench` or for a person. */
export function tellLines(lines: readonly Line[], json: boolean): void {
  console.log(json ? JSON.stringify(lines) : table(lines));
}

/** Reports progress on standard error: standard output is for the lines. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs `work` with a folder for large files: the given one, which stays, or a temporary one. */
export async function withScratch<T>(named: string | undefined, work: (folder: string) => Promise<T>): Promise<T> {
  if (named !== undefined) {
    await mkdir(named, { recursive: true });
    return work(path.resolve(named));
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws Error if a part that needs the checkpoint of real size was started without one */
export function realCheckpoint(named: string | undefined): string {
  if (named !== undefined) return path.resolve(named);
  throw new Error(
    'expected --real FOLDER, a checkpoint of real size; create one with models/python.sh -m export.random_checkpoint FOLDER (10.9 GB)',
  );
}
