import { UserError } from '../domain/user-error.ts';
import { shownPlace } from './shown-place.ts';

/** What a store knows of one object. */
export type ObjectStat = {
  /** Relative to the store, with `/` between parts. */
  name: string;
  bytes: number;
  /** Base64 of the big-endian CRC-32C, as Cloud Storage prints it. */
  crc32c: string;
};

/** A line of a listing. It has no checksum: a folder would have to read every file for it. */
export type ListedObject = Pick<ObjectStat, 'name' | 'bytes'> & {
  /** When its bytes were written, in milliseconds since 1970. */
  writtenAt: number;
  /** As FoundObject.version. */
  version: string;
  /**
   * When it was last known to be in use, in milliseconds since 1970: written, or copied from. A copy is noted at most once a day
   * (USE_NOTED_MS), and in a folder not here but in `uses` alone.
   */
  usedAt: number;
  /** Another text after each use that was noted. */
  uses: string;
  /** Its bytes have another name too, as a folder's copies have: removing it alone frees none. */
  isShared: boolean;
};

/** An object whose use was noted less than this ago need not have it noted again. Whoever removes what is not in use waits for longer. */
export const USE_NOTED_MS = 24 * 3_600_000;

/** What is noted of an object beside its bytes when it is made. A bucket keeps it with the object, a folder in a file of its own. */
export type ObjectMetadata = Readonly<Record<string, string>>;

/** One object as it was when it was looked for; what comes under its name later is another. */
export interface FoundObject extends ObjectStat {
  /** Tells this object from what was and what will be under its name; letters, digits and hyphens. */
  readonly version: string;

  /** What was noted of it; nothing where nothing was, or where that cannot be read. */
  metadata(): Promise<ObjectMetadata>;

  /** Notes more of it. */
  describe(metadata: ObjectMetadata): Promise<void>;

  /** Its bytes and no others. @throws ObjectChanged */
  read(): Promise<Uint8Array>;

  /**
   * Makes `to` the same, whatever is there, without moving bytes through this process where the store allows. This object is in use then,
   * and whoever lists it sees that.
   *
   * @throws ObjectChanged
   * @throws ObjectKept unless the same bytes are there
   */
  copy(to: string): Promise<void>;

  /**
   * Has whoever lists it see that it is in use, as a copy does, for those who make something else of it. A folder without hard links has
   * nowhere to note that, nor has a bucket whose account may not.
   *
   * @throws ObjectChanged
   */
  noteUse(): Promise<void>;

  /**
   * Puts another object in its place and keeps this one under the name `aside`.
   *
   * @returns the other one; `null` where something else has taken the place already
   * @throws ObjectKept
   */
  supersede(aside: string, content: Content): Promise<FoundObject | null>;
}

/** What an object is made of. */
export type Content = { data: Uint8Array; contentType: string; metadata?: ObjectMetadata | undefined };

export type Created = { created: boolean; stat: FoundObject };

/**
 * Where results go: a folder or a bucket. Names are relative, made by layout.ts, and never leave the store's prefix.
 * Every write is whole or absent: nobody ever sees half an object.
 *
 * Every method throws StoreUnavailable for what may pass, and UserError for what a person must fix, StoreDenied among it. What takes an
 * object away throws ObjectKept where the store does not let it go; `create` never does.
 */
export interface ObjectStore {
  /** `file:///…` or `gs://bucket/prefix`, as given to openStore. */
  readonly url: string;

  /** The account that the store is asked with, as the credentials name it; `null` where they do not, and for a folder. */
  account(): Promise<string | null>;

  /** Creates the object unless one is there; the first writer wins, and `created` says whether this call was it. */
  create(name: string, data: Uint8Array, contentType: string, metadata?: ObjectMetadata): Promise<Created>;

  /**
   * Creates the object or replaces the one that is there. Only for what the product itself derives, such as rates.
   *
   * @throws ObjectKept unless the same bytes are there
   */
  replace(name: string, data: Uint8Array, contentType: string): Promise<ObjectStat>;

  /** Takes the object away; nothing happens where there is none. Only for what nobody was promised, such as scratch. @throws ObjectKept */
  remove(name: string): Promise<void>;

  /**
   * Takes away exactly what was listed or found, and nothing that has come under its name since.
   *
   * @param uses as they were listed: whatever was used since stays
   * @returns whether it is gone; false where something else is under the name, or it was used
   * @throws ObjectKept
   */
  removeVersion(object: Pick<ListedObject, 'name' | 'version'>, uses?: string): Promise<boolean>;

  /** A folder that the names begin with, `batches/b/`, is taken away where nothing is in it any more. A bucket has no folders. */
  removeEmptyFolders(prefix: string): Promise<void>;

  /**
   * @param most bytes that are of use: of a longer object no more than one beyond them comes
   * @throws ObjectNotFound
   */
  read(name: string, most?: number): Promise<Uint8Array>;

  /** `null` where there is no such object. The checksum is of the bytes that are there now. */
  stat(name: string): Promise<ObjectStat | null>;

  /**
   * What is under the name now. In a folder that may be something that is no file: it is found as an object without bytes, so that it
   * can be superseded, though `read` and `stat` pass over it.
   */
  find(name: string): Promise<FoundObject | null>;

  /** Every object whose name starts with the prefix, in the order of the names' UTF-8 bytes. */
  list(prefix: string): AsyncIterable<ListedObject>;
}

/** As the store's `read`; `null` where there is no such object. */
export async function readIfThere(store: ObjectStore, name: string, most?: number): Promise<Uint8Array | null> {
  try {
    return await store.read(name, most);
  } catch (error) {
    if (error instanceof ObjectNotFound) return null;
    throw error;
  }
}

/** The content type of what a person wrote and a batch keeps. */
export const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** Creates the object unless the same is there. @returns false where something else is there under the name */
export async function createSame(
  store: ObjectStore,
  name: string,
  data: Uint8Array,
  contentType: string,
): Promise<boolean> {
  const { created, stat } = await store.create(name, data, contentType);
  return created || Buffer.compare(await stat.read(), data) === 0;
}

/** Something expected in the store is not there. */
export class ObjectNotFound extends Error {
  override readonly name = 'ObjectNotFound';
}

/**
 * The store does not let us in: no bucket, no permission, no credentials. Somebody has to act where it says so at the start;
 * from one minute to the next it may also be the service behind the credentials that stumbles.
 */
export class StoreDenied extends UserError {}

/** What is there can be neither replaced nor removed now: a retention policy or a hold keeps it, or this account may only create. */
export class ObjectKept extends UserError {
  /** Who keeps it, and how long, as part of a sentence. */
  readonly why: string;

  /** @param what could not be done, as a sentence's beginning */
  constructor(what: string, why: string) {
    super(`${what}: ${why}. Try again when that has changed, or with another batch id`);
    this.why = why;
  }
}

/** The store refused or failed for a reason that may pass: full disk, 429, 503, a reset connection. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** An object was exchanged or changed between two looks at it: whoever looks again finds what is there now. */
export class ObjectChanged extends StoreUnavailable {
  constructor(url: string, name: string) {
    super(`store ${shownPlace(url)}: ${name} was changed by somebody else meanwhile`);
  }
}

/** Whether it is a store that did not do what it was asked for, now or at all. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof UserError || error instanceof StoreUnavailable;
