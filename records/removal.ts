import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, readIfThere, shownPlace } from '../store/index.ts';
import { removalName } from './layout.ts';

/**
 * `clean` takes a batch away; `forget` also takes away what the batch's plan leads to, so that only `forget` may remove the plan then. With
 * `forget rows` other rows of the batch stay, and so does the batch.
 */
export type Remover = (typeof REMOVERS)[number];

const REMOVERS = ['clean', 'forget', 'forget rows'] as const;

const noteSchema = z.object({ format: z.literal(1), by: z.enum(REMOVERS), begunAt: z.string() });

/**
 * Notes that a batch is being removed, until nothing of it is left, or that rows of it are, until those are gone: nobody begins another round
 * of it meanwhile. `forget` takes over what others have begun, and what somebody has begun with the whole batch is more than `forget rows`.
 *
 * @returns false where the batch is being forgotten, and it is a clean that asks
 * @throws as a store does
 */
export async function beginRemoval(store: ObjectStore, batch: string, by: Remover): Promise<boolean> {
  const note: z.infer<typeof noteSchema> = { format: 1, by, begunAt: new Date().toISOString() };
  const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
  if ((await store.create(removalName(batch), bytes, 'application/json')).created) return true;
  const before = await removerOf(store, batch);
  if (by === 'forget' && before !== 'forget') await store.replace(removalName(batch), bytes, 'application/json');
  return by !== 'clean' || before === 'clean';
}

/** Nothing of the batch is left, or it is not removed after all. @throws ObjectKept, and as a store does */
export const endRemoval = (store: ObjectStore, batch: string): Promise<void> => store.remove(removalName(batch));

/** Who removes the batch; `null` where nobody does. A note that cannot be read is taken for one of `forget`, which loses nothing. */
export async function removerOf(store: ObjectStore, batch: string): Promise<Remover | null> {
  const bytes = await readIfThere(store, removalName(batch));
  if (bytes === null) return null;
  try {
    return noteSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).by;
  } catch {
    return 'forget';
  }
}

/**
 * Asked after the first thing of a new round was written: of the one who begins a round and the one who removes the batch at the same time at
 * least one sees the other, and gives way.
 *
 * @throws UserError where the batch is being removed
 */
export async function checkNotRemoved(store: ObjectStore, batch: string): Promise<void> {
  const by = await removerOf(store, batch);
  if (by === null) return;
  const place = shownPlace(store.url);
  if (by === 'forget rows') {
    throw new UserError(
      `rows of batch ${batch} are being forgotten from ${place}: give that "npx pixart-batch forget --where" again, which ends it, or choose ` +
        'another batch id',
    );
  }
  const command = by === 'clean' ? `clean --store ${place} --yes` : `forget ${batch} --store ${place} --yes`;
  throw new UserError(
    `batch ${batch} is being ${by === 'clean' ? 'removed' : 'forgotten'} from ${place}: finish that with "npx pixart-batch ${command}", ` +
      'or choose another batch id',
  );
}
