import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';
import { UserError } from '../domain/user-error.ts';
import { Crc32c } from '../store/crc32c.ts';
import type { Exported } from './record.ts';

/** A file's content, as a record describes it. */
export type Content = Pick<Exported, 'bytes' | 'crc32c' | 'sha256'>;

/** How many bytes may wait to be written before more are made. */
const AHEAD = 64 * 2 ** 20;

const MOST_ZIP_BYTES = 16 * 2 ** 30;

/** A partial file this old is no longer being written. */
const STALE_MS = 86_400_000;

/**
 * The earliest time that a zip file can have, without the extended timestamp: yazl (3.3.1) then writes the same in all
 * time zones. It writes any other time as local time.
 */
const ENTRY = { mtime: new Date(0), forceDosTimestamp: true, mode: 0o100644, compress: false };

/**
 * A zip file that is being written, next to its final place. Pictures are stored, since they are compressed already.
 * The same entries in the same order give the same file.
 */
export class ZipFile {
  readonly #path: string;
  readonly #part: string;
  readonly #zip = new yazl.ZipFile();
  readonly #sums = new Sums();
  readonly #written: Promise<void>;
  #added = 0;

  private constructor(path: string, part: string) {
    this.#path = path;
    this.#part = part;
    this.#written = pipeline(this.#zip.outputStream, this.#sums, createWriteStream(part, { flags: 'wx' }));
    // add and finish report the error.
    this.#written.catch(() => {});
  }

  /** Starts a zip file and removes what killed processes left of it. */
  static async begin(path: string): Promise<ZipFile> {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    const mine = `.${basename(path)}.`;
    for (const name of await readdir(folder)) {
      if (!name.startsWith(mine) || !name.endsWith('.part')) continue;
      const part = join(folder, name);
      const found = await lstat(part).catch(() => null);
      if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(part, { force: true });
    }
    return new ZipFile(path, join(folder, `${mine}${randomUUID()}.part`));
  }

  /** @throws UserError if the file becomes too large */
  async add(name: string, data: Uint8Array): Promise<void> {
    this.#added += data.length;
    if (this.#added > MOST_ZIP_BYTES) {
      throw new UserError(
        `${this.#path}: expected at most ${MOST_ZIP_BYTES / 2 ** 30} GiB, found more: export to a folder, or fewer images at once`,
      );
    }
    this.#zip.addBuffer(Buffer.from(data.buffer, data.byteOffset, data.byteLength), name, ENTRY);
    letGo((this.#zip as unknown as { entries: YazlEntry[] }).entries.at(-1));
    while (this.#added - this.#sums.bytes > AHEAD) await Promise.race([this.#sums.more(), this.#written]);
  }

  /** Completes the file on disk; it is not yet in its place. */
  async finish(): Promise<Content> {
    this.#zip.end();
    await this.#written;
    const file = await open(this.#part, 'r+');
    await file.sync().finally(() => file.close());
    return this.#sums.content;
  }

  /** Puts it into its place, whatever is there. */
  publish(): Promise<void> {
    return rename(this.#part, this.#path);
  }

  /** Removes the file unless it was published. */
  async discard(): Promise<void> {
    this.#sums.destroy();
    await this.#written.catch(() => {});
    await rm(this.#part, { force: true });
  }
}

/** yazl's entry for a file: a function that writes it, and holds its bytes even afterwards. */
type YazlEntry = { state: number; doFileDataPump?: (() => void) | undefined };

const YAZL_WRITTEN = 3;

/**
 * Makes yazl (3.3.1) release a file's bytes once they are written; it would hold all of them until the end. Adding
 * files as streams would avoid that, but puts sizes and checksums after the bytes, where Java's ZipInputStream cannot
 * read them for stored files.
 */
function letGo(entry: YazlEntry | undefined): void {
  const pump = entry?.doFileDataPump;
  if (entry === undefined || pump === undefined) return;
  const once = (): void => {
    entry.doFileDataPump = undefined;
    pump();
  };
  entry.doFileDataPump = entry.state === YAZL_WRITTEN ? undefined : once;
}

/** Passes bytes on and computes their checksums. */
class Sums extends Transform {
  readonly #sha256 = createHash('sha256');
  readonly #crc32c = new Crc32c();
  #bytes = 0;
  #waiting: (() => void)[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  /** The content of everything passed on; call it only at the end. */
  get content(): Content {
    return { bytes: this.#bytes, crc32c: this.#crc32c.toString(), sha256: this.#sha256.digest('hex') };
  }

  /** Resolves when more bytes are passed on. */
  more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#bytes += chunk.length;
    this.#sha256.update(chunk);
    this.#crc32c.update(chunk);
    for (const resolve of this.#waiting.splice(0)) resolve();
    done(null, chunk);
  }
}

/** The content of the file at a path; `null` if there is none. @throws UserError if something other than a file is there */
export async function contentOf(path: string): Promise<Content | null> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return null;
  if (!found.isFile()) throw new UserError(`${path}: expected a file, or nothing, found something else`);
  const sums = new Sums();
  await pipeline(createReadStream(path), sums.resume());
  return sums.content;
}
