import { CannotShow } from './cannot-show.ts';
import type { ExportRecord } from './record.ts';

/** A file that was made. */
export type MadeFile = { name: string; data: Uint8Array; contentType: string };

/** A picture that is in none of the files, and why. */
export type Unmade = { id: string; reason: string };

export type Made = {
  files: MadeFile[];
  unmade: Unmade[];
  /** Ids of pictures that were cut out of a background which their rims can hardly be told from. */
  unclear: string[];
};

/** Files that are made together: the one that shows a picture, or sheets with all of them. */
export type Work = {
  /** The files' names; of sheets, of which nobody knows how many there will be, those of the only one. */
  names: readonly string[];
  /** A digest of all that decides the files. */
  from: string;
  /** The files that an earlier export wrote for it; none where it wrote none, or others. */
  recorded(record: ExportRecord): string[];
  /** Whether they lack the credential that the batch's own copies have. */
  dropsCredentials: boolean;
  /** How many pictures have to be read for it. */
  pictures: number;
  /** @param onPicture is called after each picture */
  make(onPicture: () => void): Promise<Made>;
};

/** What `make` gives, or what of a picture keeps it from being made. */
export async function unlessUnmade<T>(id: string, make: () => Promise<T>): Promise<{ made: T } | { unmade: Unmade }> {
  try {
    return { made: await make() };
  } catch (error) {
    if (error instanceof CannotShow) return { unmade: { id, reason: error.message } };
    throw error;
  }
}

/** Each may have a picture in memory, several times. */
const AT_ONCE = 4;

/** Results in the order of the items, of which some are worked on at once. */
export async function* inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncGenerator<R> {
  for (let start = 0; start < items.length; start += AT_ONCE) {
    yield* await Promise.all(items.slice(start, start + AT_ONCE).map(work));
  }
}
