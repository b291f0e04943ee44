import { randomUUID } from 'node:crypto';
import { rename, stat as statPath, unlink } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';
import { crc32c } from './crc32c.ts';
import { errorCode, fileStoreError, isMissing, notFound } from './file-errors.ts';
import { filesUnder, removeEmptyFolders } from './file-folders.ts';
import { readUpTo } from './file-io.ts';
import { linkFile, moveAside, noteUse, READ_ONLY } from './file-links.ts';
import { decodeMetadata, encodeMetadata, metadataName } from './file-metadata.ts';
import { type FileAccess, FileObject, versionAt, versionOf } from './file-object.ts';
import { publishOnce } from './file-publish.ts';
import { removeFileVersion } from './file-removal.ts';
import { FileTree } from './file-tree.ts';
import { checkObjectName, TEMP_FOLDER } from './object-name.ts';
import {
  type Created,
  type FoundObject,
  isRefusal,
  type ListedObject,
  type ObjectMetadata,
  type ObjectStat,
  type ObjectStore,
  readIfThere,
  StoreUnavailable,
} from './object-store.ts';

const WRITABLE = 0o644;

/** A folder as a store. */
export class FileStore implements ObjectStore {
  readonly url: string;
  readonly #tree: FileTree;
  readonly #access: FileAccess;
  readonly #createdMode: number;

  /**
   * @param url `file:///…`; the first write creates the folder
   * @param areShared whether objects share their bytes with copies, as a batch's do; they are read-only then
   */
  constructor(url: string, areShared = true) {
    const tree = new FileTree(url);
    this.url = url;
    this.#tree = tree;
    this.#createdMode = areShared ? READ_ONLY : WRITABLE;
    this.#access = {
      readMetadata: async (name) => decodeMetadata(await readIfThere(this, metadataName(name))),
      writeMetadata: (name, metadata) => this.#writeMetadata(name, metadata),
      link: (file, to) => linkFile(tree, file, to),
      noteUse: (file) => noteUse(tree, file),
      moveAside: (file, aside) => moveAside(tree, file, aside),
      create: (name, { data, contentType, metadata }) => this.create(name, data, contentType, metadata),
    };
  }

  /** @throws UserError if the store's path is not a folder; a missing one is fine */
  async check(): Promise<void> {
    const found = await statPath(this.#tree.root).catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return null;
      if (errorCode(error) !== 'ENOTDIR') throw fileStoreError(this.url, 'open the folder', error);
      throw new UserError(`store ${this.#tree.root}: expected a folder, found a file there or above it`);
    });
    if (found && !found.isDirectory()) throw new UserError(`store ${this.#tree.root}: expected a folder, found a file`);
  }

  async account(): Promise<null> {
    return null;
  }

  async create(name: string, data: Uint8Array, _contentType: string, metadata?: ObjectMetadata): Promise<Created> {
    // An earlier object's metadata must not describe this one, not even for a moment.
    if (metadata) await this.remove(metadataName(name)).catch(unlessRefused);
    const version = await this.#tree.write(name, data, this.#createdMode, async (temp, target) => {
      const version = await versionAt(temp);
      return (await publishOnce(temp, target, this.#tree.claim(name))) ? version : null;
    });
    if (version === null) return { created: false, stat: await this.#taken(name) };
    // An object without metadata is just as good, and the store may be full by now.
    if (metadata) await this.#writeMetadata(name, metadata).catch(unlessRefused);
    return { created: true, stat: new FileObject(this.#access, name, version, data) };
  }

  async replace(name: string, data: Uint8Array, _contentType: string): Promise<ObjectStat> {
    await this.#tree.write(name, data, WRITABLE, rename);
    return { name, bytes: data.length, crc32c: crc32c(data) };
  }

  async remove(name: string): Promise<void> {
    checkObjectName(name);
    try {
      await unlink(await this.#tree.pathOf(name));
    } catch (error) {
      if (!isMissing(error)) throw fileStoreError(this.url, `remove ${name}`, error);
    }
  }

  async removeVersion({ name, version }: Pick<ListedObject, 'name' | 'version'>, uses?: string): Promise<boolean> {
    checkObjectName(name);
    try {
      const aside = await this.#tree.makePath(`${TEMP_FOLDER}/${randomUUID()}.removed`);
      const path = await this.#tree.pathOf(name);
      const removeNote = () => this.remove(metadataName(name));
      return await removeFileVersion({ path, aside, claim: this.#tree.claim(name), version, uses, removeNote });
    } catch (error) {
      if (isMissing(error)) return true;
      throw fileStoreError(this.url, `remove ${name}`, error);
    }
  }

  async removeEmptyFolders(prefix: string): Promise<void> {
    try {
      await removeEmptyFolders(this.#tree.root, prefix.replace(/\/$/, ''));
    } catch (error) {
      if (!isMissing(error)) throw fileStoreError(this.url, `remove the folder ${prefix}`, error);
    }
    this.#tree.forgetFolders();
  }

  async find(name: string): Promise<FoundObject | null> {
    const file = await this.#file(name);
    if (file) return file;
    try {
      const version = await versionAt(await this.#tree.pathOf(name));
      return version === null ? null : new FileObject(this.#access, name, version, new Uint8Array());
    } catch (error) {
      if (isMissing(error)) return null;
      throw fileStoreError(this.url, `look at ${name}`, error);
    }
  }

  async read(name: string, most = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    const bytes = await this.#tree.open(name, (handle) => readUpTo(handle, most));
    if (bytes === null) throw notFound(this.url, name);
    return bytes;
  }

  async stat(name: string): Promise<ObjectStat | null> {
    const bytes = await this.#tree.open(name, (handle) => handle.readFile());
    return bytes && { name, bytes: bytes.length, crc32c: crc32c(bytes) };
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    try {
      yield* filesUnder(this.#tree.root, '', prefix);
    } catch (error) {
      throw fileStoreError(this.url, `list ${JSON.stringify(prefix)}`, error);
    }
  }

  #file(name: string): Promise<FileObject | null> {
    return this.#tree.open(name, async (handle) => {
      const version = versionOf(await handle.stat({ bigint: true }));
      return new FileObject(this.#access, name, version, await handle.readFile());
    });
  }

  async #taken(name: string): Promise<FoundObject> {
    const there = await this.find(name);
    if (there) return there;
    throw new StoreUnavailable(`store ${this.#tree.root}: ${name} existed when it was to be created, and is gone now`);
  }

  async #writeMetadata(name: string, metadata: ObjectMetadata): Promise<void> {
    await this.#tree.write(metadataName(name), encodeMetadata(metadata), WRITABLE, rename);
  }
}

function unlessRefused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}
