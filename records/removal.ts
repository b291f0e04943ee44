import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, shownPlace } from '../store/index.ts';
import { removalName } from './layout.ts';

/** Notes that a batch is being removed, until nothing of it is left. */
export async function beginRemoval(store: ObjectStore, batch: string): Promise<void> {
  const text = `${JSON.stringify({ format: 1, begunAt: new Date().toISOString() })}\n`;
  await store.create(removalName(batch), Buffer.from(text), 'application/json');
}

/** Nothing of the batch is left, or it is not removed after all. */
export const endRemoval = (store: ObjectStore, batch: string): Promise<void> => store.remove(removalName(batch));

/**
 * Asked after the first thing of a new round was written: of the one who begins a round and the one who removes the batch at the same time at
 * least one sees the other, and gives way.
 *
 * @throws UserError where the batch is being removed
 */
export async function checkNotRemoved(store: ObjectStore, batch: string): Promise<void> {
  if ((await store.stat(removalName(batch))) === null) return;
  throw new UserError(
    `batch ${batch} is being removed from ${shownPlace(store.url)}: finish that with "npx pixart-batch clean --store ${shownPlace(store.url)} --yes", ` +
      'or choose another batch id',
  );
}
