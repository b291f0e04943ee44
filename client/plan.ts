import type { PromptNotes } from '../catalog/notes/prompt-notes.ts';
import type { ReadAs } from '../catalog/reading/read-as.ts';
import type { PlanSummary } from '../catalog/summary.ts';
import type { ChangeCounts } from '../domain/change-counts.ts';
import type { Job } from '../domain/job.ts';
import { type Bundle, bundleRef } from '../models/pixart/bundle.ts';
import { orWarn } from '../records/damaged.ts';
import { PlannedPictures } from '../records/planned-pictures.ts';
import { type Preview, preview } from '../records/preview.ts';
import { changesSince } from '../records/previous-batch.ts';
import { type ObjectStore, openStore, StoreDenied, StoreUnavailable } from '../store/index.ts';
import { type LimitsToday, limitsToday } from './limits.ts';
import { type BatchRequest, batchInput } from './request.ts';
import { type OnRead, readRequestedCatalog, summaryOf } from './requested-catalog.ts';

/** What a batch of a catalog would do. */
export type BatchPlan = PlanSummary &
  PromptNotes & {
    /** How the catalog's file was read. */
    readAs: ReadAs;
    /** The first jobs with different prompts, after expansion; `copyAs` is the image's name from the template. */
    firstPrompts: Pick<Job, 'id' | 'line' | 'prompt' | 'negativePrompt' | 'copyAs'>[];
    /** URL of the store that it was compared with. */
    store: string;
    /** `null` if the store cannot be used from here. */
    preview: Preview | null;
    /** `null` if the store has no limits, or cannot be used from here. */
    limits: LimitsToday | null;
    /** How the catalog differs from that of its last batch in the store; `null` if there is no known one. */
    changes: ChangeCounts | null;
    /** Why the store cannot be used; `null` if it can. */
    storeProblem: string | null;
    /** Damaged records of the store, and what is unknown because of them. */
    warnings: string[];
  };

/** A batch request with the installed bundle itself instead of its `bundleRef`: its tokenizer is needed. */
export type PlanRequest = Omit<BatchRequest, 'bundle'> & {
  bundle: Bundle;
  /** How many of the first prompts to return; default: 3. */
  prompts?: number | undefined;
};

/**
 * Checks a catalog and plans a batch of it. Nothing is written, and no server is needed.
 *
 * @param onRead is called with how much of the catalog has been read
 * @throws CatalogError with every problem of the catalog
 * @throws UserError for a catalog that cannot be read, or an invalid request
 * @example
 * ```js
 * import { CatalogError, chosenBundle, planBatch } from 'pixart-batch';
 *
 * const bundle = await chosenBundle('pixart-icons');
 * try {
 *   const plan = await planBatch({ catalog: 'catalog.csv', store: 'out', bundle });
 *   console.log(`${plan.images} images, ${plan.preview?.toRender} of them not in the store yet`);
 * } catch (error) {
 *   if (!(error instanceof CatalogError)) throw error;
 *   for (const { line, column, expected, found } of error.problems) console.log({ line, column, expected, found });
 * }
 * ```
 */
export async function planBatch({ bundle, prompts = 3, ...request }: PlanRequest, onRead?: OnRead): Promise<BatchPlan> {
  const input = batchInput({ ...request, bundle: bundleRef(bundle) }, 'plan');
  const pictures = new PlannedPictures();
  const first = new FirstPrompts(prompts);
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const store = new PerhapsStore(input.store);
  // With fresh seeds, everything would count as changed.
  const isFresh = input.defaults.seeds === 'fresh';
  const changes = isFresh ? null : await store.ask((opened) => changesSince(opened, input.source.url, warn));
  const summary = await summaryOf(await readRequestedCatalog(input, request.catalog, onRead), bundle, (job) => {
    pictures.add(job);
    first.add(job);
    changes?.add(job);
  });
  const found = await store.ask((opened) => preview(pictures, opened, bundle.digest));
  return {
    ...(summary as typeof summary & PromptNotes),
    firstPrompts: first.prompts,
    store: input.store,
    preview: found,
    limits: await store.ask((opened) => orWarn(warn, 'what is left today is unknown', () => limitsToday(opened))),
    changes: changes?.counts ?? null,
    storeProblem: store.problem,
    warnings: [...warnings, ...(found?.warnings ?? [])],
  };
}

/** Collects jobs until it has enough; of consecutive variants of a prompt, only the first. */
class FirstPrompts {
  readonly #most: number;
  readonly prompts: BatchPlan['firstPrompts'] = [];

  constructor(most: number) {
    this.#most = most;
  }

  add({ id, line, prompt, negativePrompt, copyAs }: Job): void {
    if (this.prompts.length >= this.#most) return;
    const last = this.prompts.at(-1);
    const isVariant = last?.line === line && last.prompt === prompt && last.negativePrompt === negativePrompt;
    if (isVariant) return;
    this.prompts.push({ id, line, prompt, negativePrompt, ...(copyAs !== undefined && { copyAs }) });
  }
}

/** A catalog can be checked even if its store cannot be used; then nothing is known about what the store has. */
class PerhapsStore {
  readonly #url: string;
  #problem: string | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** Why the store cannot be used, once known. */
  get problem(): string | null {
    return this.#problem;
  }

  async ask<T>(question: (store: ObjectStore) => Promise<T>): Promise<T | null> {
    if (this.#problem !== null) return null;
    try {
      return await question(await openStore(this.#url));
    } catch (error) {
      if (!(error instanceof StoreDenied || error instanceof StoreUnavailable)) throw error;
      this.#problem = error.message;
      return null;
    }
  }
}
