import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, readIfThere, shownPlace } from '../store/index.ts';
import { removalName } from './layout.ts';

/**
 * `clean` removes a batch. `forget` also removes what the batch's plan leads to, so only `forget` may then remove the plan.
 * `forget rows` leaves the batch and its other rows.
 */
type Remover = (typeof REMOVERS)[number];

const REMOVERS = ['clean', 'forget', 'forget rows'] as const;

const noteSchema = z.object({ format: z.literal(1), by: z.enum(REMOVERS), begunAt: z.string() });

/**
 * Marks a batch as being removed until nothing of it is left, or, for `forget rows`, until the rows are gone. No other
 * round of it starts in the meantime. `forget` takes over removals that others have started; `forget rows` leaves a
 * removal of the whole batch in place.
 *
 * @returns false if `clean` asks and the batch is being forgotten
 * @throws the store's errors
 */
export async function beginRemoval(store: ObjectStore, batch: string, by: Remover): Promise<boolean> {
  const note: z.infer<typeof noteSchema> = { format: 1, by, begunAt: new Date().toISOString() };
  const bytes = Buffer.from(`${JSON.stringify(note)}\n`);
  if ((await store.create(removalName(batch), bytes, 'application/json')).created) return true;
  const before = await removerOf(store, batch);
  if (by === 'forget' && before !== 'forget') await store.replace(removalName(batch), bytes, 'application/json');
  return by !== 'clean' || before === 'clean';
}

/** Removes the mark: nothing of the batch is left, or it stays after all. @throws ObjectKept and the store's other errors */
export const endRemoval = (store: ObjectStore, batch: string): Promise<void> => store.remove(removalName(batch));

/** Who is removing the batch; `null` if nobody is. An unreadable mark counts as `forget`'s, the safe assumption. */
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
 * Called after a new round has written its first object. If one process starts a round while another removes the batch,
 * at least one of them sees the other and gives way.
 *
 * @throws UserError if the batch is being removed
 */
export async function checkNotRemoved(store: ObjectStore, batch: string): Promise<void> {
  const by = await removerOf(store, batch);
  if (by === null) return;
  const place = shownPlace(store.url);
  if (by === 'forget rows') {
    throw new UserError(
      `rows of batch ${batch} are being forgotten from ${place}: run that "npx pixart-batch forget --where" again to finish it, or choose ` +
        'another batch id',
    );
  }
  const command = by === 'clean' ? `clean --store ${place} --yes` : `forget ${batch} --store ${place} --yes`;
  throw new UserError(
    `batch ${batch} is being ${by === 'clean' ? 'removed' : 'forgotten'} from ${place}: finish that with "npx pixart-batch ${command}", ` +
      'or choose another batch id',
  );
}
