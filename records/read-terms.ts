import type { ReadTerms } from '../catalog/expansion/terms.ts';
import { ObjectNotFound } from '../store/object-store.ts';
import { openStore } from '../store/open-store.ts';

/**
 * Reads files of terms from one folder, `file:///folder` or `gs://bucket/prefix`, and from nowhere else: names are checked
 * and symbolic links are not followed, as for any store.
 */
export function termsReader(folder: string): ReadTerms {
  return async (name) => {
    const store = await openStore(folder);
    try {
      return await store.read(`${name}.txt`);
    } catch (error) {
      if (error instanceof ObjectNotFound) return null;
      throw error;
    }
  };
}
