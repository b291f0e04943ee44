import { DigestSet } from '../domain/digest-set.ts';
import type { Job } from '../domain/job.ts';
import { type Bin, SIZES, type Size } from '../domain/size.ts';
import { looksLikeTemplate } from './expansion/template.ts';
import { findMark } from './notes/prompt-marks.ts';
import { RowCounter, type RowsFound } from './notes/rows-found.ts';
import { type ColumnHint, columnHints } from './reading/foreign-columns.ts';

/** The totals of a plan, and notes on it. */
export type PlanSummary = {
  rows: number;
  jobs: number;
  /** Distinct render keys: the number of images that a batch with an empty store renders. */
  images: number;
  /** Rows that still have `{a|b}`, `__name__` and the like in their prompts: with expansion, those that were escaped. */
  unexpanded: number;
  /** Rows whose negative prompt has no effect, because they have no guidance. */
  unheardNegatives: number;
  /** Rows with emphasis, tags or flags of other tools in a prompt, which count as plain text; with the first one as written. */
  marks: RowsFound & { example: string | null };
  /** Rows with a prompt such as `nan` or `None`, which programs write for a missing value; it would be drawn. */
  placeholders: RowsFound;
  /** Unknown columns, which are carried over, in the order of their first appearance. */
  metadata: string[];
  /** Those of them that other tools know, or that are spelt almost like ours. */
  columnHints: ColumnHint[];
  /** Ordered by size, then from wide to tall. */
  bins: { size: Size; bin: Bin; jobs: number }[];
};

/** Whether a negative prompt has no effect: guidance 1 ignores it. */
export const isNegativeUnheard = ({ negativePrompt, guidance }: Job): boolean =>
  negativePrompt !== '' && guidance === 1;

/** What pandas, Python, JavaScript and databases write for a missing value. */
const isPlaceholder = (text: string): boolean => /^(?:nan|null|none|nil|undefined|n\/a)$/i.test(text);

/** Counts a plan's jobs, job by job in the catalog's order. */
export class SummaryBuilder {
  readonly #keys = new DigestSet();
  readonly #metadata = new Set<string>();
  readonly #marks = new RowCounter();
  readonly #placeholders = new RowCounter();
  readonly #bins = new Map<string, PlanSummary['bins'][number]>();
  #rows = 0;
  #unexpanded = 0;
  #unheardNegatives = 0;
  #jobs = 0;
  #line = 0;
  #example: string | null = null;

  add(job: Job): void {
    const { line, prompt, renderKey, metadata, size, bin } = job;
    this.#jobs += 1;
    if (line !== this.#line) {
      this.#line = line;
      this.#rows += 1;
      if (looksLikeTemplate(prompt) || looksLikeTemplate(job.negativePrompt)) this.#unexpanded += 1;
      if (isNegativeUnheard(job)) this.#unheardNegatives += 1;
    }
    this.#mark(job);
    if (isPlaceholder(prompt) || isPlaceholder(job.negativePrompt)) this.#placeholders.add(line);
    this.#keys.add(renderKey);
    for (const column of Object.keys(metadata)) this.#metadata.add(column);
    const name = `${size} ${bin.height}×${bin.width}`;
    const counted = this.#bins.get(name);
    if (counted === undefined) this.#bins.set(name, { size, bin, jobs: 1 });
    else counted.jobs += 1;
  }

  #mark({ line, prompt, negativePrompt }: Job): void {
    const mark = findMark(prompt) ?? findMark(negativePrompt);
    if (mark === null) return;
    this.#marks.add(line);
    this.#example ??= mark;
  }

  summary(): PlanSummary {
    const metadata = [...this.#metadata];
    const ratio = ({ bin }: { bin: Bin }): number => bin.height / bin.width;
    return {
      rows: this.#rows,
      jobs: this.#jobs,
      images: this.#keys.size,
      unexpanded: this.#unexpanded,
      unheardNegatives: this.#unheardNegatives,
      placeholders: this.#placeholders.found,
      marks: { ...this.#marks.found, example: this.#example },
      metadata,
      columnHints: columnHints(metadata),
      bins: [...this.#bins.values()].toSorted(
        (a, b) => SIZES.indexOf(a.size) - SIZES.indexOf(b.size) || ratio(a) - ratio(b) || a.bin.width - b.bin.width,
      ),
    };
  }
}
