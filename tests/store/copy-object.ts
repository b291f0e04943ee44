import { ObjectNotFound, type ObjectStore } from '../../store/index.ts';

/** Copies what is under a name now. @throws ObjectNotFound */
export async function copyObject(store: ObjectStore, from: string, to: string): Promise<void> {
  const found = await store.find(from);
  if (found === null) throw new ObjectNotFound(from);
  await found.copy(to);
}
