import { type ObjectStore, readIfThere } from '../store/index.ts';
import {
  decodeRecord,
  type Exported,
  type ExportRecord,
  encodeRecord,
  MOST_RECORD_BYTES,
  RECORD_NAME,
  RECORD_TYPE,
} from './record.ts';

/** A folder or bucket that pictures are exported to. Other people's files there are left alone. */
export class ExportPlace {
  readonly #store: ObjectStore;
  readonly #record: Map<string, Exported>;

  private constructor(store: ObjectStore, record: ExportRecord) {
    this.#store = store;
    this.#record = new Map(record);
  }

  /** @throws UserError if another file has the record's name, and the store's errors */
  static async open(store: ObjectStore): Promise<ExportPlace> {
    const bytes = await readIfThere(store, RECORD_NAME, MOST_RECORD_BYTES);
    return new ExportPlace(store, decodeRecord(bytes, `${store.url}/${RECORD_NAME}`));
  }

  get record(): ExportRecord {
    return this.#record;
  }

  /** What has a name: nothing, a file that an export wrote, or one that somebody else wrote or changed. */
  async look(name: string): Promise<'nothing' | 'ours' | 'other'> {
    const found = await this.#store.find(name);
    if (found === null) return 'nothing';
    return isSame(found, this.#record.get(name)) ? 'ours' : 'other';
  }

  /**
   * Writes a file, replacing one that an export wrote.
   *
   * @returns false if another file is there, which stays
   */
  async put(name: string, data: Uint8Array, contentType: string, exported: Exported): Promise<boolean> {
    const found = await this.#store.find(name);
    if (found !== null && !isSame(found, exported)) {
      if (!isSame(found, this.#record.get(name))) return false;
      // Removes exactly the version found, so that a file written by somebody else in the meantime stays.
      if (!(await this.#store.removeVersion(found))) return false;
    }
    const { created, stat } = await this.#store.create(name, data, contentType);
    if (!created && !isSame(stat, exported)) return false;
    this.#record.set(name, exported);
    return true;
  }

  /** Makes a later export write these again. */
  doubt(names: readonly string[]): void {
    for (const name of names) this.#record.set(name, { ...this.#record.get(name)!, from: '' });
  }

  /** Records the files written so far, along with those that others have exported there in the meantime. */
  async keepRecord(written: ReadonlySet<string>): Promise<void> {
    if (written.size === 0) return;
    const there = decodeRecord(await readIfThere(this.#store, RECORD_NAME, MOST_RECORD_BYTES), this.#store.url);
    const own = [...this.#record].filter(([name]) => written.has(name));
    await this.#store.replace(RECORD_NAME, encodeRecord(new Map([...there, ...own])), RECORD_TYPE);
  }
}

type Content = Pick<Exported, 'bytes' | 'crc32c'>;

const isSame = (found: Content, exported: Content | undefined): boolean =>
  found.bytes === exported?.bytes && found.crc32c === exported.crc32c;
