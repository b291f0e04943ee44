import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errorCode, fileStoreError, isMissing } from './file-errors.ts';
import { findFolder, makeFolders, sweepLeftovers } from './file-folders.ts';
import { withFile, writeDurably } from './file-io.ts';
import { FolderFlush } from './folder-flush.ts';
import { checkObjectName, TEMP_FOLDER } from './object-name.ts';

const TOP = '.';

/** Does not follow a symbolic link, nor wait for a pipe's writer. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The errors of opening a symbolic link or a socket. */
const isNoFile = (error: unknown): boolean => ['ELOOP', 'ENXIO', 'EOPNOTSUPP'].includes(errorCode(error) ?? '');

/** A publisher gives the file at `temp` its name, `target`. */
type Publish<T> = (temp: string, target: string) => Promise<T>;

/**
 * The files of a store. Bytes are written to a temporary file on the same file system, flushed to disk and given their
 * name in one step, so that a kill or a power cut leaves a whole object or none.
 */
export class FileTree {
  readonly url: string;
  readonly root: string;
  /** Paths of folders found or created without a symbolic link in them, by the folder's name in the store. */
  readonly #folders = new Map<string, string>();
  readonly #flush = new FolderFlush();
  #swept: Promise<void> | undefined;

  /** @param url `file:///…` */
  constructor(url: string) {
    this.url = url;
    this.root = fileURLToPath(url);
  }

  /** The path of an object whose folder exists; if it does not, this throws ENOENT. */
  pathOf(name: string): Promise<string> {
    return this.#path(name, findFolder);
  }

  /** The path of an object, whose folder is created if it is missing. */
  makePath(name: string): Promise<string> {
    return this.#path(name, makeFolders);
  }

  async #path(name: string, reach: (root: string, folder: string) => Promise<string>): Promise<string> {
    const folder = dirname(name);
    const path = this.#folders.get(folder) ?? (await reach(this.root, folder === TOP ? '' : folder));
    this.#folders.set(folder, path);
    return join(path, basename(name));
  }

  /** The file by which processes take turns at an object, where a link cannot decide between them. */
  claim(name: string): string {
    return join(this.root, TEMP_FOLDER, `${createHash('sha256').update(name).digest('hex')}.claim`);
  }

  /** Looks folders up again the next time: some have been removed. */
  forgetFolders(): void {
    this.#folders.clear();
  }

  /** Opens an object to read it; `null` if it is not a regular file, as symbolic links, pipes and sockets are not. */
  async open<T>(name: string, use: (handle: FileHandle) => Promise<T>): Promise<T | null> {
    checkObjectName(name);
    try {
      const path = await this.pathOf(name);
      return await withFile(path, READ_FLAGS, async (handle) => ((await handle.stat()).isFile() ? use(handle) : null));
    } catch (error) {
      if (isMissing(error) || isNoFile(error)) return null;
      throw fileStoreError(this.url, `read ${name}`, error);
    }
  }

  /** Writes the bytes to a temporary file for `publish`. */
  async write<T>(name: string, data: Uint8Array, mode: number, publish: Publish<T>): Promise<T> {
    checkObjectName(name);
    try {
      return await this.viaTemp(name, async (temp, target) => {
        await writeDurably(temp, data, mode);
        return publish(temp, target);
      });
    } catch (error) {
      throw this.notWritten(`write ${name} (${data.length.toLocaleString('en')} bytes)`, error);
    }
  }

  /** Runs `publish` with the path of no file yet, flushes the object's folder, and removes what is left at that path. */
  async viaTemp<T>(name: string, publish: Publish<T>): Promise<T> {
    const temp = await this.makePath(`${TEMP_FOLDER}/${randomUUID()}`);
    this.#swept ??= sweepLeftovers(this.root);
    await this.#swept;
    const target = await this.makePath(name);
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

  /** The store's error for a failed write. */
  notWritten(action: string, error: unknown): unknown {
    // Somebody removed a folder; the next try creates it again.
    if (isMissing(error)) this.forgetFolders();
    return fileStoreError(this.url, action, error);
  }
}
