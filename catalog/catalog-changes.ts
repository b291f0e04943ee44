import type { ChangeCounts } from './changes-text.ts';
import type { Job } from './job.ts';
import type { ManifestRow } from './manifest-table.ts';
import { safeCsv } from './safe-csv.ts';

/** The parameters that a person can find in the catalog; beside them a render key covers the model and the file's format. */
const PARAMETERS = {
  prompt: 'prompt',
  negative_prompt: 'negativePrompt',
  size: 'size',
  width: 'width',
  height: 'height',
  seed: 'seed',
  steps: 'steps',
  guidance: 'guidance',
} as const satisfies Partial<Record<keyof ManifestRow, keyof Job>>;

type Change = { change: 'changed' | 'added' | 'removed'; id: string; what: string; before: string; now: string };

const HEADER: (keyof Change)[] = ['change', 'id', 'what', 'before', 'now'];

/** Compares jobs, as they come, with the rows of the batch before. */
export class CatalogChanges {
  readonly #since: string;
  /** Rows that no job has the id of, so far. */
  readonly #before: Map<string, ManifestRow>;
  readonly #changes: Change[] = [];
  #unchanged = 0;

  constructor(since: string, before: readonly ManifestRow[]) {
    this.#since = since;
    this.#before = new Map(before.map((row) => [row.id, row]));
  }

  add(job: Job): void {
    const { id, prompt } = job;
    const before = this.#before.get(id);
    this.#before.delete(id);
    if (before?.render_key === job.renderKey) {
      this.#unchanged += 1;
      return;
    }
    this.#changes.push(
      before === undefined
        ? { change: 'added', id, what: '', before: '', now: prompt }
        : { change: 'changed', id, what: differences(before, job), before: before.prompt, now: prompt },
    );
  }

  get counts(): ChangeCounts {
    const changed = this.#changes.filter(({ change }) => change === 'changed').length;
    return {
      since: this.#since,
      changed,
      added: this.#changes.length - changed,
      removed: this.#before.size,
      unchanged: this.#unchanged,
    };
  }

  /** Every change as a table that is safe in a spreadsheet; what went is at its end. */
  csv(): Uint8Array {
    const removed = [...this.#before.values()].map(({ id, prompt }) => ({
      ...{ change: 'removed' as const, id, what: '', before: prompt, now: '' },
    }));
    const cells = [...this.#changes, ...removed].map((change) => HEADER.map((column) => change[column]));
    return safeCsv([HEADER, ...cells], { bom: true });
  }
}

/** `prompt, seed`; `model or format` where none of a row's own parameters differs. */
function differences(before: ManifestRow, job: Job): string {
  const names = Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[];
  return names.filter((name) => before[name] !== job[PARAMETERS[name]]).join(', ') || 'model or format';
}
