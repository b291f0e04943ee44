import { createSame, ObjectKept, type ObjectStore } from './object-store.ts';

/**
 * Replaces the object or, if the store keeps what is there, creates another beside it: `sheet-2.html` for `sheet.html`, then
 * `sheet-3.html`. The same bytes are never stored twice.
 *
 * @returns the name under which the bytes are stored
 */
export async function writeOrBeside(
  store: ObjectStore,
  name: string,
  data: Uint8Array,
  contentType: string,
): Promise<string> {
  try {
    await store.replace(name, data, contentType);
    return name;
  } catch (error) {
    if (!(error instanceof ObjectKept)) throw error;
  }
  for (let number = 2; ; number++) {
    const beside = besideName(name, number);
    if (await createSame(store, beside, data, contentType)) return beside;
  }
}

/** The nth name for an object; the first is the plain one. */
export const besideName = (name: string, number: number): string =>
  number === 1 ? name : name.replace(/(\.[^./]*)$/, `-${number}$1`);
