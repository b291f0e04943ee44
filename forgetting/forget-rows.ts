import { inParallel } from '../cleaning/in-parallel.ts';
import { UserError } from '../domain/user-error.ts';
import { batchFolder, planFolder, removalName, roundsFolder } from '../records/layout.ts';
import { beginRemoval, endRemoval, removerOf } from '../records/removal.ts';
import { ObjectKept, type ObjectStore } from '../store/index.ts';
import { type ForgottenRows, isWhole } from './forgotten-rows.ts';
import { KINDS } from './kinds.ts';
import { batchRewrites, planRewrites, type Step } from './rewrite-batch.ts';
import { isForgotten, rewriteChanges } from './rewrite-lines.ts';
import type { Survey } from './survey.ts';

/** An object that could not be removed, and why. */
export type Left = { name: string; why: string };

/** The number of steps, for a progress display. */
export const stepsOf = ({ removals, rewrites, changes }: Survey): number =>
  KINDS.reduce((sum, kind) => sum + removals[kind].length, 0) + [...rewrites.values()].flat().length + changes.length;

/**
 * Removes what a survey found. Plans go last, and only once everything else is gone: if it is killed, or the store
 * keeps something, the same request finds the rest again.
 *
 * @param found a survey whose batches beginForgetting has marked
 * @param isHeld whether something outside the store remains, so that the plans have to stay
 * @param onStep called for each object
 * @throws the store's errors, except ObjectKept
 */
export async function forgetRows(
  store: ObjectStore,
  found: Survey,
  isHeld: () => Promise<boolean>,
  onStep: () => void,
): Promise<Left[]> {
  const left: Left[] = [];
  const attempt = async ({ name, run }: Step): Promise<void> => {
    const why = await run().then(() => null, keptBecause);
    if (why !== null) left.push({ name, why });
    onStep();
  };
  const [plans, removals] = partition(removalsOf(found), ({ name }) => isPlan(found, name));
  await inParallel(removals, attempt);
  for (const rows of found.rows) {
    const names = found.rewrites.get(rows.batch);
    if (names === undefined) continue;
    for await (const step of batchRewrites(store, rows, names, found.texts)) await attempt(step);
  }
  const isGone = isForgotten(new Set(), found.texts);
  for (const { name } of found.changes) await attempt({ name, run: () => rewriteChanges(store, name, isGone) });
  for (const rows of found.rows) if (!isWhole(rows)) plans.push(...(await planRewrites(store, rows)));
  if (left.length > 0 || (await isHeld())) return [...left, ...plans.map(({ name }) => ({ name, why: LAST }))];
  for (const step of plans) await attempt(step);
  for (const rows of left.length === 0 ? found.rows : []) {
    const why = await endForgetting(store, rows).then(() => null, keptBecause);
    if (why !== null) left.push({ name: removalName(rows.batch), why });
    if (isWhole(rows)) await store.removeEmptyFolders(batchFolder(rows.batch));
  }
  return left;
}

/**
 * Blocks new rounds of the batches that rows are removed from: a round would render the rows again, and write manifests with them.
 *
 * @throws UserError if a round has started since the survey; nothing is changed then
 */
export async function beginForgetting(store: ObjectStore, found: Survey): Promise<void> {
  for (const rows of found.rows) await beginRemoval(store, rows.batch, isWhole(rows) ? 'forget' : 'forget rows');
  for (const { batch } of found.rows) {
    for await (const { name } of store.list(roundsFolder(batch)))
      if (!found.rounds.has(name)) await giveWay(store, found, batch);
  }
}

async function giveWay(store: ObjectStore, found: Survey, begun: string): Promise<never> {
  for (const rows of found.rows) await endForgetting(store, rows);
  throw new UserError(
    `batch ${begun} cannot be forgotten: another round of it has started in the meantime. Wait for its end, or stop it first: ` +
      `npx pixart-batch cancel ${begun} --wait`,
  );
}

/** Forgetting rows leaves the mark of a removal of the whole batch in place. */
async function endForgetting(store: ObjectStore, rows: ForgottenRows): Promise<void> {
  if (isWhole(rows) || (await removerOf(store, rows.batch)) === 'forget rows') await endRemoval(store, rows.batch);
}

const LAST =
  'it lists what else has to be forgotten, so it is removed last: run the command again once the rest is gone';

const isPlan = ({ rows }: Survey, name: string): boolean =>
  rows.some(({ batch }) => name.startsWith(planFolder(batch)));

/**
 * In the order of their kinds. By name and not by version: a folder moves a version aside first, where a kill would leave it.
 */
const removalsOf = ({ removals }: Survey): Step[] =>
  KINDS.flatMap((kind) => removals[kind].map(({ store, name }) => ({ name, run: () => store.remove(name) })));

function keptBecause(error: unknown): string {
  if (error instanceof ObjectKept) return error.why;
  throw error;
}

function partition<T>(items: readonly T[], belongs: (item: T) => boolean): [T[], T[]] {
  return [items.filter(belongs), items.filter((item) => !belongs(item))];
}
