import { orWarn, type Warn } from '../records/damaged.ts';
import { objectName } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';
import { type ForgottenRows, plannedJobs } from './forgotten-rows.ts';

/** What the rows that stay have in common with the forgotten ones. */
export type OtherRows = {
  /** Batches that need a picture, by its object's name. */
  neededBy: Map<string, Set<string>>;
  /** Prompts and negative prompts that they share. */
  texts: Set<string>;
  /** For each batch, how many of its rows have a prompt that is forgotten elsewhere. */
  samePrompt: Map<string, number>;
};

/**
 * Looks through all rows of the store that stay.
 *
 * @param warn called for each batch whose plan cannot be read, so that its needs are unknown
 */
export async function otherRows(
  store: ObjectStore,
  batches: readonly string[],
  forgotten: ReadonlyMap<string, ForgottenRows>,
  warn: Warn,
): Promise<OtherRows> {
  const all = [...forgotten.values()];
  const objects = new Set(all.flatMap(({ pictures }) => [...pictures.values()]));
  const texts = new Set(all.flatMap((rows) => [...rows.texts]));
  const others: OtherRows = { neededBy: new Map(), texts: new Set(), samePrompt: new Map() };
  const look = async (batch: string): Promise<void> => {
    const gone = forgotten.get(batch)?.ids;
    for await (const { id, renderKey, format, prompt, negativePrompt } of plannedJobs(store, batch)) {
      if (gone?.has(id)) continue;
      const object = objectName(renderKey, format);
      if (objects.has(object)) others.neededBy.set(object, (others.neededBy.get(object) ?? new Set()).add(batch));
      for (const text of [prompt, negativePrompt]) if (texts.has(text)) others.texts.add(text);
      if (texts.has(prompt)) others.samePrompt.set(batch, (others.samePrompt.get(batch) ?? 0) + 1);
    }
  };
  for (const batch of batches)
    await orWarn(warn, `the images that batch ${batch} needs are unknown`, () => look(batch));
  return others;
}
