import type { ChangeCounts } from '../domain/change-counts.ts';
import { columnsOf, type Job } from '../domain/job.ts';
import { byColumn, every, keysOf } from '../domain/parameters.ts';
import { runsOf, TURN_CELLS } from '../domain/turns.ts';
import { safeCsv } from './formats.ts';
import type { ManifestRow } from './manifest-table.ts';

/** The columns that change a picture; a render key also covers the model and the file's format. */
const COLUMNS = keysOf(byColumn(every('picture')));

type Change = { change: 'changed' | 'added' | 'removed'; id: string; what: string; before: string; now: string };

const HEADER: (keyof Change)[] = ['change', 'id', 'what', 'before', 'now'];

/** Compares jobs, as they are added, with the rows of the previous batch. */
export class CatalogChanges {
  readonly #since: string;
  /** Rows whose id no job has had so far. */
  readonly #before: Map<string, ManifestRow>;
  readonly #changes: Change[] = [];
  #changed = 0;
  #added = 0;
  #unchanged = 0;

  /** @param before the rows by id; this object takes ownership of the map */
  constructor(since: string, before: Map<string, ManifestRow>) {
    this.#since = since;
    this.#before = before;
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

  /** Every change as a table that is safe in a spreadsheet, one line per parameter of a row, removed rows last. In pieces. */
  *csv(): Generator<Uint8Array> {
    yield safeCsv([HEADER], { bom: true });
    for (const run of runsOf(this.#all(), () => HEADER.length, TURN_CELLS)) {
      yield safeCsv(run.map((change) => HEADER.map((column) => change[column])));
    }
  }

  *#all(): Generator<Change> {
    yield* this.#changes;
    for (const { id, prompt } of this.#before.values()) {
      yield { change: 'removed', id, what: '', before: prompt, now: '' };
    }
  }
}

/** A row's parameters that differ, with both values; if none do, `model or format`, which a catalog does not have. */
function differences(before: ManifestRow, job: Job): Pick<Change, 'what' | 'before' | 'now'>[] {
  const after = columnsOf(job);
  const found = COLUMNS.map((what) => ({
    what,
    before: String(before[what] ?? ''),
    now: String(after[what] ?? ''),
  })).filter((cells) => cells.before !== cells.now);
  return found.length > 0 ? found : [{ what: 'model or format', before: '', now: '' }];
}
