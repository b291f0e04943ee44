import { CannotShow } from './cannot-show.ts';
import type { ExportRecord } from './record.ts';

/** A finished file, not yet written. */
export type MadeFile = { name: string; data: Uint8Array; contentType: string };

/** A picture that is not in any file, and why. */
export type Unmade = { id: string; reason: string };

export type Made = {
  files: MadeFile[];
  unmade: Unmade[];
  /** Ids of pictures cut out of a background that is hard to distinguish from their edges. */
  unclear: string[];
};

/** Files that are made together: one that shows a picture, or sheets with all pictures. */
export type Work = {
  /** The files' names. For sheets, whose number is not known yet, the names if there is only one. */
  names: readonly string[];
  /** A digest of everything that decides the files. */
  from: string;
  /** The files that an earlier export wrote for it; empty if there are none, or they differ. */
  recorded(record: ExportRecord): string[];
  /** Whether the files lack the credential that the batch's own copies have. */
  dropsCredentials: boolean;
  /** How many pictures have to be read for it. */
  pictures: number;
  /** @param onPicture called after each picture */
  make(onPicture: () => void): Promise<Made>;
};

/** What `make` returns, or why the picture could not be made. */
export async function unlessUnmade<T>(id: string, make: () => Promise<T>): Promise<{ made: T } | { unmade: Unmade }> {
  try {
    return { made: await make() };
  } catch (error) {
    if (error instanceof CannotShow) return { unmade: { id, reason: error.message } };
    throw error;
  }
}

/** Low, because each may hold several copies of a picture in memory. */
const AT_ONCE = 4;

/** Processes items concurrently, a few at a time, and yields the results in order. */
export async function* inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    yield* await Promise.all(items.slice(start, start + AT_ONCE).map(work));
  }
}
