import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, type FileHandle, link, lstat, open, rename, stat as statPath, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { crc32c } from './crc32c.ts';
import { errorCode, fileStoreError, isMissing, isNoLink, notFound } from './file-errors.ts';
import { findFolder, makeFolders, orderedEntries, sweepLeftovers } from './file-folders.ts';
import { publishOnce, removeFile } from './file-publish.ts';
import { FolderFlush } from './folder-flush.ts';
import { checkObjectName, TEMP_FOLDER } from './object-name.ts';
import {
  type Created,
  type ListedObject,
  type ObjectStat,
  type ObjectStore,
  StoreUnavailable,
} from './object-store.ts';

/** Objects share their bytes with their copies, so that an editor that writes in place must not be let in. */
const READ_ONLY = 0o444;
const WRITABLE = 0o644;
const TOP = '.';

/**
 * A folder as a store. Bytes go to a temporary file on the same file system first, are flushed to the disk and get
 * their name in one step, so that a kill or a power cut leaves a whole object or none.
 */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly #root: string;
  /** Folders that were found or made and held no symbolic link, by their name in the store. */
  readonly #folders = new Map<string, string>();
  readonly #flush = new FolderFlush();
  #swept: Promise<void> | undefined;

  /** @param url `file:///…`; the folder is made by the first write. */
  constructor(url: string) {
    this.url = url;
    this.#root = fileURLToPath(url);
  }

  /** @throws UserError where the store's path is something else than a folder; a missing one is fine. */
  async check(): Promise<void> {
    const found = await statPath(this.#root).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      if (errorCode(error) !== 'ENOTDIR') throw fileStoreError(this.url, 'open the folder', error);
      throw new UserError(`store ${this.#root}: expected a folder, found a file there or above it`);
    });
    if (found && !found.isDirectory()) throw new UserError(`store ${this.#root}: expected a folder, found a file`);
  }

  async create(name: string, data: Uint8Array, _contentType: string): Promise<Created> {
    const created = await this.#write(name, data, READ_ONLY, (temp, target) =>
      publishOnce(temp, target, this.#temp(`${createHash('sha256').update(name).digest('hex')}.claim`)),
    );
    if (created) return { created, stat: { name, bytes: data.length, crc32c: crc32c(data) } };
    const stat = await this.stat(name);
    if (stat) return { created, stat };
    throw new StoreUnavailable(
      `store ${this.#root}: ${name} was taken, yet there is no such object; see what is there`,
    );
  }

  async replace(name: string, data: Uint8Array, _contentType: string): Promise<ObjectStat> {
    await this.#write(name, data, WRITABLE, rename);
    return { name, bytes: data.length, crc32c: crc32c(data) };
  }

  async copy(from: string, to: string): Promise<void> {
    checkObjectName(from);
    checkObjectName(to);
    try {
      const source = await this.#path(from, findFolder).catch((error: unknown) => this.#missing(from, error));
      if (await this.#linkNew(source, to)) return;
      await this.#viaTemp(to, async (temp, target) => {
        await this.#linkOrCopy(from, source, temp);
        await rename(temp, target);
      });
    } catch (error) {
      throw this.#notWritten(`copy ${from} to ${to}`, error);
    }
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    try {
      await removeFile(await this.#path(name, findFolder));
    } catch (error) {
      if (!isMissing(error)) throw fileStoreError(this.url, `remove ${name}`, error);
    }
  }

  async read(name: string): Promise<Uint8Array> {
    const bytes = await this.#open(name, (handle) => handle.readFile());
    if (bytes === null) throw notFound(this.url, name);
    return bytes;
  }

  async stat(name: string): Promise<ObjectStat | null> {
    const bytes = await this.#open(name, (handle) => handle.readFile());
    return bytes && { name, bytes: bytes.length, crc32c: crc32c(bytes) };
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    try {
      yield* this.#walk('', prefix);
    } catch (error) {
      throw fileStoreError(this.url, `list ${JSON.stringify(prefix)}`, error);
    }
  }

  async *#walk(folder: string, prefix: string): AsyncIterable<ListedObject> {
    for (const { key, isFolder } of await orderedEntries(join(this.#root, folder))) {
      const name = folder + key;
      if (name === `${TEMP_FOLDER}/`) continue;
      if (isFolder && (name.startsWith(prefix) || prefix.startsWith(name))) yield* this.#walk(name, prefix);
      if (isFolder || !name.startsWith(prefix)) continue;
      const bytes = await lstat(join(this.#root, name)).then(
        (found) => found.size,
        (error: unknown) => (isMissing(error) ? null : Promise.reject(error)),
      );
      if (bytes !== null) yield { name, bytes };
    }
  }

  #temp(file: string): string {
    return join(this.#root, TEMP_FOLDER, file);
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
    // Somebody removed a folder: the next try makes it again.
    if (isMissing(error)) this.#folders.clear();
    return fileStoreError(this.url, action, error);
  }

  /** Gives the object a second name unless that is taken. @returns whether it did; whatever was in the way is the caller's */
  async #linkNew(source: string, to: string): Promise<boolean> {
    const target = await this.#path(to, makeFolders);
    try {
      await link(source, target);
    } catch {
      return false;
    }
    await this.#flush.flush(dirname(target));
    return true;
  }

  /** Runs `publish` with a fresh temporary path and the object's own, then flushes the folder; no temporary file stays. */
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

  async #linkOrCopy(from: string, source: string, temp: string): Promise<void> {
    try {
      await link(source, temp);
    } catch (error) {
      if (isMissing(error)) this.#missing(from, error);
      if (!isNoLink(error)) throw error;
      await copyFile(source, temp, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      await withFile(temp, constants.O_RDONLY, (handle) => handle.sync());
    }
  }

  #missing(name: string, error: unknown): never {
    throw isMissing(error) ? notFound(this.url, name) : error;
  }

  /** `null` where the name is no file; a symbolic link is none. */
  async #open<T>(name: string, use: (handle: FileHandle) => Promise<T>): Promise<T | null> {
    checkObjectName(name);
    try {
      const path = await this.#path(name, findFolder);
      return await withFile(path, constants.O_RDONLY | constants.O_NOFOLLOW, async (handle) =>
        (await handle.stat()).isFile() ? use(handle) : null,
      );
    } catch (error) {
      if (isMissing(error) || errorCode(error) === 'ELOOP') return null;
      throw fileStoreError(this.url, `read ${name}`, error);
    }
  }
}

async function writeDurably(path: string, data: Uint8Array, mode: number): Promise<void> {
  const makeNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  await withFile(path, makeNew, (handle) => handle.writeFile(data).then(() => handle.sync()), mode);
}

async function withFile<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>, mode?: number) {
  const handle = await open(path, flags, mode);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
