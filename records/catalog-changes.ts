import type { ChangeCounts } from '../domain/change-counts.ts';
import { cellsOf, type Job } from '../domain/job.ts';
import { byColumn, every, keysOf } from '../domain/parameters.ts';
import { safeCsv } from './formats.ts';
import type { ManifestRow } from './manifest-table.ts';

/** The columns in which a person can change a picture; beside them a render key covers the model and the file's format. */
const COLUMNS = keysOf(byColumn(every('picture')));

type Change = { change: 'changed' | 'added' | 'removed'; id: string; what: string; before: string; now: string };

const HEADER: (keyof Change)[] = ['change', 'id', 'what', 'before', 'now'];

/** Compares jobs, as they come, with the rows of the batch before. */
export class CatalogChanges {
  readonly #since: string;
  /** Rows that no job has the id of, so far. */
  readonly #before: Map<string, ManifestRow>;
  readonly #changes: Change[] = [];
  #changed = 0;
  #added = 0;
  #unchanged = 0;

  constructor(since: string, before: readonly ManifestRow[]) {
    this.#since = since;
    this.#before = new Map(before.map((row) => [row.id, row]));
  }

  add(job: Job): void {
    const { id, prompt } = job;
    const before = this.#before.get(id);
    this.#before.delete(id);
    if (before === undefined) {
      this.#added += 1;
      this.#changes.push({ change: 'added', id, what: '', before: '', now: prompt });
    } else if (before.render_key === job.renderKey) {
      this.#unchanged += 1;
    } else {
      this.#changed += 1;
      this.#changes.push(
        ...differences(before, job).map((difference) => ({ change: 'changed' as const, id, ...difference })),
      );
    }
  }

  get counts(): ChangeCounts {
    return {
      since: this.#since,
      changed: this.#changed,
      added: this.#added,
      removed: this.#before.size,
      unchanged: this.#unchanged,
    };
  }

  /** Every change as a table that is safe in a spreadsheet, a line for each parameter of a row; what went is at its end. */
  csv(): Uint8Array {
    const removed = [...this.#before.values()].map(({ id, prompt }) => ({
      change: 'removed' as const,
      id,
      what: '',
      before: prompt,
      now: '',
    }));
    const cells = [...this.#changes, ...removed].map((change) => HEADER.map((column) => change[column]));
    return safeCsv([HEADER, ...cells], { bom: true });
  }
}

/** A row's parameters that differ, with both values; `model or format`, of which a catalog says nothing, where none does. */
function differences(before: ManifestRow, job: Job): Pick<Change, 'what' | 'before' | 'now'>[] {
  const after = cellsOf(job);
  const found = COLUMNS.map((what) => ({
    what,
    before: String(before[what] ?? ''),
    now: String(after[what] ?? ''),
  })).filter((cells) => cells.before !== cells.now);
  return found.length > 0 ? found : [{ what: 'model or format', before: '', now: '' }];
}
