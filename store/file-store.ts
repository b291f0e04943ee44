import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, rename, stat as statPath, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { crc32c } from './crc32c.ts';
import { errorCode, fileStoreError, isMissing, isNoLink, notFound } from './file-errors.ts';
import { filesUnder, findFolder, makeFolders, removeEmptyFolders, sweepLeftovers } from './file-folders.ts';
import { readUpTo, withFile, writeDurably } from './file-io.ts';
import { decodeMetadata, encodeMetadata, metadataName } from './file-metadata.ts';
import { type FileAccess, FileObject, versionAt, versionOf } from './file-object.ts';
import { publishOnce, removeFile, withClaim } from './file-publish.ts';
import { removeFileVersion } from './file-removal.ts';
import { FolderFlush } from './folder-flush.ts';
import { checkObjectName, TEMP_FOLDER } from './object-name.ts';
import {
  type Created,
  type FoundObject,
  isRefusal,
  type ListedObject,
  ObjectChanged,
  type ObjectMetadata,
  type ObjectStat,
  type ObjectStore,
  readIfThere,
  StoreUnavailable,
} from './object-store.ts';

/** Objects share their bytes with their copies, so an editor that writes in place must be kept out. */
const READ_ONLY = 0o444;
const WRITABLE = 0o644;
const TOP = '.';

/**
 * A folder as a store. Bytes are written to a temporary file on the same file system, flushed to disk and given their name in one
 * step, so that a kill or a power cut leaves a whole object or none.
 */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly #root: string;
  /** Paths of folders found or created without a symbolic link in them, by the folder's name in the store. */
  readonly #folders = new Map<string, string>();
  readonly #flush = new FolderFlush();
  readonly #access: FileAccess;
  #swept: Promise<void> | undefined;

  readonly #createdMode: number;

  /**
   * @param url `file:///…`; the first write creates the folder
   * @param areShared whether objects share their bytes with copies, as a batch's do; they are read-only then
   */
  constructor(url: string, areShared = true) {
    this.url = url;
    this.#createdMode = areShared ? READ_ONLY : WRITABLE;
    this.#root = fileURLToPath(url);
    this.#access = {
      readMetadata: async (name) => decodeMetadata(await readIfThere(this, metadataName(name))),
      writeMetadata: (name, metadata) => this.#writeMetadata(name, metadata),
      link: (file, to) => this.#link(file, to),
      noteUse: (file) => this.#noteUse(file),
      moveAside: (file, aside) => this.#moveAside(file, aside),
      create: (name, { data, contentType, metadata }) => this.create(name, data, contentType, metadata),
    };
  }

  /** @throws UserError if the store's path is not a folder; a missing one is fine */
  async check(): Promise<void> {
    const found = await statPath(this.#root).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      if (errorCode(error) !== 'ENOTDIR') throw fileStoreError(this.url, 'open the folder', error);
      throw new UserError(`store ${this.#root}: expected a folder, found a file there or above it`);
    });
    if (found && !found.isDirectory()) throw new UserError(`store ${this.#root}: expected a folder, found a file`);
  }

  async account(): Promise<null> {
    return null;
  }

  async create(name: string, data: Uint8Array, _contentType: string, metadata?: ObjectMetadata): Promise<Created> {
    // An earlier object's metadata must not describe this one, not even for a moment.
    if (metadata) await this.remove(metadataName(name)).catch(unlessRefused);
    const version = await this.#write(name, data, this.#createdMode, async (temp, target) => {
      const version = await versionAt(temp);
      return (await publishOnce(temp, target, this.#claim(name))) ? version : null;
    });
    if (version === null) return { created: false, stat: await this.#taken(name) };
    // An object without metadata is just as good, and the store may be full by now.
    if (metadata) await this.#writeMetadata(name, metadata).catch(unlessRefused);
    return { created: true, stat: new FileObject(this.#access, name, version, data) };
  }

  async replace(name: string, data: Uint8Array, _contentType: string): Promise<ObjectStat> {
    await this.#write(name, data, WRITABLE, rename);
    return { name, bytes: data.length, crc32c: crc32c(data) };
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    try {
      await removeFile(await this.#path(name, findFolder));
    } catch (error) {
      if (!isMissing(error)) throw fileStoreError(this.url, `remove ${name}`, error);
    }
  }

  async removeVersion({ name, version }: Pick<ListedObject, 'name' | 'version'>, uses?: string): Promise<boolean> {
    checkObjectName(name);
    try {
      const aside = await this.#path(`${TEMP_FOLDER}/${randomUUID()}.removed`, makeFolders);
      const path = await this.#path(name, findFolder);
      const removeNote = () => this.remove(metadataName(name));
      return await removeFileVersion({ path, aside, claim: this.#claim(name), version, uses, removeNote });
    } catch (error) {
      if (isMissing(error)) return true;
      throw fileStoreError(this.url, `remove ${name}`, error);
    }
  }

  async removeEmptyFolders(prefix: string): Promise<void> {
    try {
      await removeEmptyFolders(this.#root, prefix.replace(/\/$/, ''));
    } catch (error) {
      if (!isMissing(error)) throw fileStoreError(this.url, `remove the folder ${prefix}`, error);
    }
    this.#folders.clear();
  }

  async find(name: string): Promise<FoundObject | null> {
    const file = await this.#file(name);
    if (file) return file;
    try {
      const version = await versionAt(await this.#path(name, findFolder));
      return version === null ? null : new FileObject(this.#access, name, version, new Uint8Array());
    } catch (error) {
      if (isMissing(error)) return null;
      throw fileStoreError(this.url, `look at ${name}`, error);
    }
  }

  async read(name: string, most = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    const bytes = await this.#open(name, (handle) => readUpTo(handle, most));
    if (bytes === null) throw notFound(this.url, name);
    return bytes;
  }

  async stat(name: string): Promise<ObjectStat | null> {
    const bytes = await this.#open(name, (handle) => handle.readFile());
    return bytes && { name, bytes: bytes.length, crc32c: crc32c(bytes) };
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    try {
      yield* filesUnder(this.#root, '', prefix);
    } catch (error) {
      throw fileStoreError(this.url, `list ${JSON.stringify(prefix)}`, error);
    }
  }

  #claim(name: string): string {
    return join(this.#root, TEMP_FOLDER, `${createHash('sha256').update(name).digest('hex')}.claim`);
  }

  async #path(name: string, reach: (root: string, folder: string) => Promise<string>): Promise<string> {
    const folder = dirname(name);
    const path = this.#folders.get(folder) ?? (await reach(this.#root, folder === TOP ? '' : folder));
    this.#folders.set(folder, path);
    return join(path, basename(name));
  }

  async #write<T>(
    name: string,
    data: Uint8Array,
    mode: number,
    publish: (temp: string, target: string) => Promise<T>,
  ): Promise<T> {
    checkObjectName(name);
    try {
      return await this.#viaTemp(name, async (temp, target) => {
        await writeDurably(temp, data, mode);
        return publish(temp, target);
      });
    } catch (error) {
      throw this.#notWritten(`write ${name} (${data.length.toLocaleString('en')} bytes)`, error);
    }
  }

  #notWritten(action: string, error: unknown): unknown {
    // Somebody removed a folder; the next try creates it again.
    if (isMissing(error)) this.#folders.clear();
    return fileStoreError(this.url, action, error);
  }

  /** Runs `publish` with a fresh temporary path and the object's own, flushes the folder and removes the temporary file. */
  async #viaTemp<T>(name: string, publish: (temp: string, target: string) => Promise<T>): Promise<T> {
    const temp = await this.#path(`${TEMP_FOLDER}/${randomUUID()}`, makeFolders);
    this.#swept ??= sweepLeftovers(this.#root);
    await this.#swept;
    const target = await this.#path(name, makeFolders);
    try {
      const result = await publish(temp, target);
      await this.#flush.flush(dirname(target));
      return result;
    } finally {
      await unlink(temp).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    }
  }

  #file(name: string): Promise<FileObject | null> {
    return this.#open(name, async (handle) => {
      const version = versionOf(await handle.stat({ bigint: true }));
      return new FileObject(this.#access, name, version, await handle.readFile());
    });
  }

  async #taken(name: string): Promise<FoundObject> {
    const there = await this.find(name);
    if (there) return there;
    throw new StoreUnavailable(`store ${this.#root}: ${name} existed when it was to be created, and is gone now`);
  }

  async #writeMetadata(name: string, metadata: ObjectMetadata): Promise<void> {
    await this.#write(metadataName(name), encodeMetadata(metadata), WRITABLE, rename);
  }

  /** Gives the file a second name, replacing whatever has it; copies the bytes if no link is possible. */
  async #link(file: FileObject, to: string): Promise<void> {
    checkObjectName(to);
    try {
      const source = await this.#path(file.name, findFolder);
      await this.#viaTemp(to, async (temp, target) => {
        if (await isLinked(source, temp)) await this.#checkIs(file, temp);
        else await writeDurably(temp, await file.read(), READ_ONLY);
        await rename(temp, target);
      });
    } catch (error) {
      throw this.#notWritten(`copy ${file.name} to ${to}`, error);
    }
  }

  /** Adds a link for a moment, which changes the ctime: see usesOf. */
  async #noteUse(file: FileObject): Promise<void> {
    try {
      const source = await this.#path(file.name, findFolder);
      await this.#viaTemp(file.name, async (temp) => {
        if (await isLinked(source, temp)) await this.#checkIs(file, temp);
      });
    } catch (error) {
      throw this.#notWritten(`note the use of ${file.name}`, error);
    }
  }

  async #checkIs(file: FileObject, path: string): Promise<void> {
    if ((await versionAt(path)) !== file.version) throw new ObjectChanged(this.url, file.name);
  }

  /** @returns false if another file has the name by now */
  async #moveAside(file: FileObject, aside: string): Promise<boolean> {
    checkObjectName(aside);
    try {
      await this.#path(`${TEMP_FOLDER}/claim`, makeFolders);
      return await withClaim(this.#claim(file.name), async () => {
        const path = await this.#path(file.name, findFolder);
        if ((await versionAt(path)) !== file.version) return false;
        await rename(path, await this.#path(aside, makeFolders));
        return true;
      });
    } catch (error) {
      throw this.#notWritten(`move ${file.name} to ${aside}`, error);
    }
  }

  /** Returns `null` if the name is not a regular file; symbolic links, pipes and sockets are not. */
  async #open<T>(name: string, use: (handle: FileHandle) => Promise<T>): Promise<T | null> {
    checkObjectName(name);
    try {
      const path = await this.#path(name, findFolder);
      return await withFile(path, READ_FLAGS, async (handle) => ((await handle.stat()).isFile() ? use(handle) : null));
    } catch (error) {
      if (isMissing(error) || isNoFile(error)) return null;
      throw fileStoreError(this.url, `read ${name}`, error);
    }
  }
}

/** Does not follow a symbolic link, nor wait for a pipe's writer. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The errors of opening a symbolic link or a socket. */
const isNoFile = (error: unknown): boolean => ['ELOOP', 'ENXIO', 'EOPNOTSUPP'].includes(errorCode(error) ?? '');

/** @returns false if the file system has no hard links, allows none here, or has too many to this file */
async function isLinked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if (isNoLink(error)) return false;
    throw error;
  }
}

function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
