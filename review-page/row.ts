import type { Job } from '../domain/job.ts';
import { type Failure, isReceipt, type Receipt } from '../domain/receipt.ts';
import { manifestRow } from '../records/manifest-table.ts';
import type { SheetRow } from './format.ts';

/**
 * One job and what became of it, as the page shows it; the thumbnail's colour is added when there is one.
 *
 * @param columns the catalog's other columns that were met so far; new ones are added
 * @param folder of the batch, with its `/`
 */
export function sheetRow(
  job: Job,
  outcome: Receipt | Failure | undefined,
  columns: Map<string, number>,
  folder: string,
): SheetRow {
  const { id, prompt, negative_prompt, status, file, size, seed, steps, guidance, reason } = manifestRow(job, outcome);
  const { renderKey, width, height } = isReceipt(outcome) ? outcome : job;
  const values: (string | null)[] = [];
  for (const [name, value] of Object.entries(job.metadata)) {
    if (!columns.has(name)) columns.set(name, columns.size);
    values[columns.get(name)!] = value;
  }
  return {
    id,
    prompt,
    negative: negative_prompt,
    status,
    reason: reason ?? (status === 'cancelled' ? 'The batch was cancelled before this job began.' : ''),
    size,
    width,
    height,
    seed,
    steps,
    guidance,
    line: job.line,
    renderKey,
    file: file.startsWith(folder) ? file.slice(folder.length) : '',
    colour: null,
    values: Array.from(values, (value) => value ?? null),
  };
}
