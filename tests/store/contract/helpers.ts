import type { ListedObject, ObjectStore } from '../../../store/object-store.ts';

/** Opens an empty store at each call. */
export type FreshStore = () => Promise<ObjectStore>;

/** Generous, for a busy machine. */
export const SLOW_MS = 240_000;

export const text = (value: string): Uint8Array => Buffer.from(value);

export async function listed(store: ObjectStore, prefix: string): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}

export const names = async (store: ObjectStore, prefix: string): Promise<string[]> =>
  (await listed(store, prefix)).map((object) => object.name);
