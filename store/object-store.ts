import { UserError } from '../domain/user-error.ts';
import { shownPlace } from './shown-place.ts';

/** What a store knows about one object. */
export type ObjectStat = {
  /** Relative to the store, with `/` between parts. */
  name: string;
  bytes: number;
  /** Base64 of the big-endian CRC-32C, as Cloud Storage prints it. */
  crc32c: string;
};

/** An entry in a listing. It has no checksum: a folder would have to read every file for it. */
export type ListedObject = Pick<ObjectStat, 'name' | 'bytes'> & {
  /** When its bytes were written, in milliseconds since 1970. */
  writtenAt: number;
  /** As FoundObject.version. */
  version: string;
  /**
   * When it was last known to be in use (written, or copied from), in milliseconds since 1970. Copies are noted at most once a day
   * (USE_NOTED_MS); in a folder, only `uses` shows them.
   */
  usedAt: number;
  /** Changes with each use that is noted. */
  uses: string;
  /** Whether its bytes have another name too, as a folder's copies do; removing it alone frees no space then. */
  isShared: boolean;
};

/** A use noted less than this ago need not be noted again. Code that removes unused objects waits for longer. */
export const USE_NOTED_MS = 24 * 3_600_000;

/** What is noted about an object when it is created. A bucket keeps it with the object, a folder in a separate file. */
export type ObjectMetadata = Readonly<Record<string, string>>;

/** One object as it was when it was found; whatever has its name later is another object. */
export interface FoundObject extends ObjectStat {
  /** Distinguishes this object from earlier and later ones of its name; letters, digits and hyphens. */
  readonly version: string;

  /** Its metadata; empty if it has none, or none that can be read. */
  metadata(): Promise<ObjectMetadata>;

  /** Adds to its metadata. */
  describe(metadata: ObjectMetadata): Promise<void>;

  /** Its bytes and no others. @throws ObjectChanged */
  read(): Promise<Uint8Array>;

  /**
   * Copies it to `to`, replacing what is there, without moving bytes through this process if the store can. Listings
   * show this object as used from then on.
   *
   * @throws ObjectChanged
   * @throws ObjectKept unless the same bytes are there
   */
  copy(to: string): Promise<void>;

  /**
   * Notes a use, as a copy does, for callers that make something else of it. Nothing is noted in a folder without hard
   * links, or in a bucket if the account lacks the permission.
   *
   * @throws ObjectChanged
   */
  noteUse(): Promise<void>;

  /**
   * Puts another object in its place and keeps this one under the name `aside`.
   *
   * @returns the new object; `null` if something else has taken the place already
   * @throws ObjectKept
   */
  supersede(aside: string, content: Content): Promise<FoundObject | null>;
}

/** What an object is made of. */
export type Content = { data: Uint8Array; contentType: string; metadata?: ObjectMetadata | undefined };

export type Created = { created: boolean; stat: FoundObject };

/**
 * Where results go: a folder or a bucket. Names are relative, made by layout.ts, and never leave the store's prefix.
 * Writes are atomic: nobody ever sees half an object.
 *
 * Every method throws StoreUnavailable for transient errors, and UserError (StoreDenied among them) for errors that a
 * person must fix. Methods that replace or remove an object throw ObjectKept if the store does not allow that; `create`
 * never does.
 */
export interface ObjectStore {
  /** `file:///…` or `gs://bucket/prefix`, as given to openStore. */
  readonly url: string;

  /** The account that accesses the store, as its credentials name it; `null` if they do not, and for a folder. */
  account(): Promise<string | null>;

  /** Creates the object unless one is there. The first writer wins; `created` says whether that was this call. */
  create(name: string, data: Uint8Array, contentType: string, metadata?: ObjectMetadata): Promise<Created>;

  /**
   * Creates the object or replaces the one that is there. Only for objects that the product derives itself, such as rates.
   *
   * @throws ObjectKept unless the same bytes are there
   */
  replace(name: string, data: Uint8Array, contentType: string): Promise<ObjectStat>;

  /** Removes the object, if there is one. Only for objects that nobody was promised, such as scratch. @throws ObjectKept */
  remove(name: string): Promise<void>;

  /**
   * Removes exactly the object that was listed or found, and nothing that has taken its name since.
   *
   * @param uses as listed; an object that was used since stays
   * @returns whether it is gone; false if another object has the name, or it was used
   * @throws ObjectKept
   */
  removeVersion(object: Pick<ListedObject, 'name' | 'version'>, uses?: string): Promise<boolean>;

  /** Removes the folder `prefix`, such as `batches/b/`, and its subfolders if they are empty. A bucket has no folders. */
  removeEmptyFolders(prefix: string): Promise<void>;

  /**
   * @param most the number of bytes of use to the caller; a longer object is read to one byte beyond them
   * @throws ObjectNotFound
   */
  read(name: string, most?: number): Promise<Uint8Array>;

  /** `null` if there is no such object. The checksum is that of the bytes that are there now. */
  stat(name: string): Promise<ObjectStat | null>;

  /**
   * What has the name now. In a folder that may be something other than a file: it is found as an object without bytes,
   * so that it can be superseded, though `read` and `stat` ignore it.
   */
  find(name: string): Promise<FoundObject | null>;

  /** Every object whose name starts with the prefix, in the order of the names' UTF-8 bytes. */
  list(prefix: string): AsyncIterable<ListedObject>;
}

/** Like the store's `read`, but returns `null` if there is no such object. */
export async function readIfThere(store: ObjectStore, name: string, most?: number): Promise<Uint8Array | null> {
  try {
    return await store.read(name, most);
  } catch (error) {
    if (error instanceof ObjectNotFound) return null;
    throw error;
  }
}

/** The content type of texts that people wrote and a batch keeps. */
export const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** Creates the object unless the same bytes are there. @returns false if other bytes have the name */
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
 * Access to the store was denied: no bucket, no permission, no credentials. At the start, somebody has to act; later,
 * it may also be the credentials' service that has a fault.
 */
export class StoreDenied extends UserError {}

/** The object can be neither replaced nor removed now: a retention policy or a hold keeps it, or this account may only create. */
export class ObjectKept extends UserError {
  /** What keeps it, and for how long, as part of a sentence. */
  readonly why: string;

  /** @param what what could not be done, as the beginning of a sentence */
  constructor(what: string, why: string) {
    super(`${what}: ${why}. Try again once that has changed, or use another batch id`);
    this.why = why;
  }
}

/** The store refused or failed for a transient reason: full disk, 429, 503, a reset connection. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** An object was replaced or changed between two looks at it; a caller that looks again finds what is there now. */
export class ObjectChanged extends StoreUnavailable {
  constructor(url: string, name: string) {
    super(`store ${shownPlace(url)}: ${name} was changed by somebody else in the meantime`);
  }
}

/** Whether the error is a store's refusal, transient or not. */
export const isRefusal = (error: unknown): error is Error =>
  error instanceof UserError || error instanceof StoreUnavailable;
