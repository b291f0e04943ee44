import type { Job } from '../../domain/job.ts';
import { isWordless, losesWords } from './lost-words.ts';
import { RowCounter, type RowsFound } from './rows-found.ts';

/**
 * How a bundle's model reads a prompt: the text after cleaning, whether it is cut off, and how much of it the model does not
 * know.
 */
export type PromptReading = { text: string; isCut: boolean; unknown: 'none' | 'some' | 'all' };

export type PromptReader = {
  read: (prompt: string) => PromptReading;
  maxTokens: number;
  /** Things that the model can draw, and whether a text names one; `null` if unknown. */
  vocabulary: { things: readonly string[]; isNamedIn: (text: string) => boolean } | null;
};

/** Notes on how a catalog's prompts and negative prompts are read. */
export type PromptNotes = {
  /** Rows whose prompt or negative prompt is longer than the model reads, and the maximum in tokens. */
  cutPrompts: RowsFound & { maxTokens: number };
  /** Rows whose prompt or negative prompt has no words left after cleaning, and counts as empty. */
  emptyPrompts: RowsFound;
  /** Rows whose prompt or negative prompt has words, none of which the model knows: emoji, or scripts it was not trained on. */
  foreignPrompts: RowsFound;
  /** Rows with some such characters, which the model ignores. */
  unknownCharacters: RowsFound;
  /** Rows whose prompt names nothing that the model was trained to draw; `null` if the bundle does not say what that is. */
  undrawablePrompts: (RowsFound & { things: readonly string[] }) | null;
  /** Rows whose prompt or negative prompt loses some or all words in cleaning, with the changes in the first hundred. */
  cleanedPrompts: { rows: number; changes: PromptChange[] };
};

export type PromptChange = { line: number; column: 'prompt' | 'negative_prompt'; before: string; after: string };

const CHANGES_LISTED = 100;

/** Checks the prompts of jobs, job by job in the catalog's order. */
export class PromptCheck {
  readonly #reader: PromptReader;
  readonly #cut = new RowCounter();
  readonly #empty = new RowCounter();
  readonly #foreign = new RowCounter();
  readonly #unknown = new RowCounter();
  readonly #undrawable = new RowCounter();
  readonly #cleaned = new RowCounter();
  readonly #changes: PromptChange[] = [];
  #last: Pick<Job, 'line' | 'prompt' | 'negativePrompt'> | null = null;

  constructor(reader: PromptReader) {
    this.#reader = reader;
  }

  add({ prompt, negativePrompt, line }: Job): void {
    // Variants and grids of a row follow each other with the same prompts.
    const last = this.#last;
    if (last !== null && line === last.line && prompt === last.prompt && negativePrompt === last.negativePrompt) return;
    this.#last = { line, prompt, negativePrompt };
    this.#look(prompt, line, 'prompt');
    if (negativePrompt !== '') this.#look(negativePrompt, line, 'negative_prompt');
  }

  get notes(): PromptNotes {
    const { vocabulary, maxTokens } = this.#reader;
    return {
      cutPrompts: { ...this.#cut.found, maxTokens },
      emptyPrompts: this.#empty.found,
      foreignPrompts: this.#foreign.found,
      unknownCharacters: this.#unknown.found,
      undrawablePrompts: vocabulary && { ...this.#undrawable.found, things: vocabulary.things },
      cleanedPrompts: { rows: this.#cleaned.found.rows, changes: this.#changes },
    };
  }

  #look(before: string, line: number, column: PromptChange['column']): void {
    const { text: after, isCut, unknown } = this.#reader.read(before);
    const isEmpty = isWordless(after);
    if (isCut) this.#cut.add(line);
    if (!isEmpty && unknown === 'all') this.#foreign.add(line);
    if (!isEmpty && unknown === 'some') this.#unknown.add(line);
    if (isEmpty) this.#empty.add(line);
    // The others are reported for another reason.
    const isReadable = !isEmpty && unknown !== 'all' && column === 'prompt';
    if (isReadable && this.#reader.vocabulary?.isNamedIn(after) === false) this.#undrawable.add(line);
    if (!isEmpty && !losesWords(before, after)) return;
    this.#cleaned.add(line);
    if (this.#changes.length < CHANGES_LISTED) this.#changes.push({ line, column, before, after });
  }
}
