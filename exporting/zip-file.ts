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

/** What a file has, as a record says it. */
export type Content = Pick<Exported, 'bytes' | 'crc32c' | 'sha256'>;

/** What waits to be written, in bytes, before more is made. */
const AHEAD = 64 * 2 ** 20;

export const MOST_ZIP_BYTES = 16 * 2 ** 30;

/** What no process that still runs is writing. */
const STALE_MS = 86_400_000;

/**
 * The earliest time that a zip file can tell, without the field that would tell it more exactly: yazl (3.3.1) then writes the same in all time zones. Of
 * any other time it writes what the clocks of the zone show.
 */
const ENTRY = { mtime: new Date(0), forceDosTimestamp: true, mode: 0o100644, compress: false };

/**
 * A zip file that is being written, beside the place that it will have. Pictures are compressed already, so that they are kept as they are. The same
 * entries in the same order make the same file.
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
    // Whoever adds or finishes is told.
    this.#written.catch(() => {});
  }

  /** Begins one; what an earlier process that was killed left of it is removed. */
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

  /** @throws UserError where it becomes too long */
  async add(name: string, data: Uint8Array): Promise<void> {
    this.#added += data.length;
    if (this.#added > MOST_ZIP_BYTES) {
      throw new UserError(
        `${this.#path}: expected at most ${MOST_ZIP_BYTES / 2 ** 30} GiB, found more: export to a folder, or fewer pictures at once`,
      );
    }
    this.#zip.addBuffer(Buffer.from(data.buffer, data.byteOffset, data.byteLength), name, ENTRY);
    letGo((this.#zip as unknown as { entries: YazlEntry[] }).entries.at(-1));
    while (this.#added - this.#sums.bytes > AHEAD) await Promise.race([this.#sums.more(), this.#written]);
  }

  /** Ends the file, which is whole on the disk then, and not yet in its place. */
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

  /** Removes what was not published. */
  async discard(): Promise<void> {
    this.#sums.destroy();
    await this.#written.catch(() => {});
    await rm(this.#part, { force: true });
  }
}

/** What yazl has of a file: a function that writes it and holds its bytes, also after that. */
type YazlEntry = { state: number; doFileDataPump?: (() => void) | undefined };

const YAZL_WRITTEN = 3;

/**
 * Has yazl (3.3.1) let go of a file's bytes once they are written, of which it would keep all until the end. Its streams, which it lets go of, would have
 * the sizes and sums after the bytes, where Java's ZipInputStream reads them of no file that is kept as it is.
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

/** Passes bytes on, and sums them up. */
class Sums extends Transform {
  readonly #sha256 = createHash('sha256');
  readonly #crc32c = new Crc32c();
  #bytes = 0;
  #waiting: (() => void)[] = [];

  get bytes(): number {
    return this.#bytes;
  }

  /** Of all that was passed on, once nothing more comes. */
  get content(): Content {
    return { bytes: this.#bytes, crc32c: this.#crc32c.toString(), sha256: this.#sha256.digest('hex') };
  }

  /** Resolves once more was passed on. */
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

/** What the file at a path has; `null` where there is none. @throws UserError where something else is there */
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
