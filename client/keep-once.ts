import type { ObjectStore } from '../store/index.ts';

/** Keeps a person's file in the store. @returns false where something else is there under the name */
export async function keepOnce(store: ObjectStore, name: string, bytes: Uint8Array): Promise<boolean> {
  const { created } = await store.create(name, bytes, 'text/plain; charset=utf-8');
  return created || Buffer.compare(await store.read(name), bytes) === 0;
}
