import type { Job } from '../domain/job.ts';
import { COLUMN_OF, every, keysOf, TEXT_COLUMNS } from '../domain/parameters.ts';
import { type Failure, isReceipt, type Receipt } from '../domain/receipt.ts';
import type { CarriedNames } from '../records/carried-names.ts';
import { manifestRow } from '../records/manifest-table.ts';
import type { SheetHead, SheetParameters, SheetRow } from './format.ts';

const FIELDS = every('sheet');

export const SHEET_PARAMETERS: SheetHead['parameters'] = keysOf(FIELDS).map((key) => ({
  name: COLUMN_OF[key],
  field: FIELDS[key],
  isText: TEXT_COLUMNS.includes(COLUMN_OF[key]),
}));

const parametersOf = (job: Job): SheetParameters =>
  Object.fromEntries(keysOf(FIELDS).map((key) => [FIELDS[key], job[key]])) as SheetParameters;

/**
 * A job and its outcome as a row of the page; the thumbnail's colour is added once there is one.
 *
 * @param columns the catalog's other columns that were seen so far; new ones are added
 * @param folder of the batch, with its `/`
 */
export function sheetRow(
  job: Job,
  outcome: Receipt | Failure | undefined,
  columns: CarriedNames,
  folder: string,
): SheetRow {
  const { id, prompt, status, file, reason } = manifestRow(job, outcome);
  const { renderKey, width, height } = isReceipt(outcome) ? outcome : job;
  const values: (string | null)[] = [];
  for (const [name, value] of Object.entries(job.metadata)) {
    const place = columns.placeOf(name);
    if (place !== undefined) values[place] = value;
  }
  return {
    id,
    prompt,
    ...parametersOf(job),
    status,
    reason: reason ?? (status === 'cancelled' ? 'The batch was cancelled before this job began.' : ''),
    width,
    height,
    line: job.line,
    renderKey,
    file: file.startsWith(folder) ? file.slice(folder.length) : '',
    colour: null,
    values: Array.from(values, (value) => value ?? null),
  };
}
