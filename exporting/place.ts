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

/** A folder or bucket that pictures are exported to. Other people's files may lie there too, and stay as they are. */
export class ExportPlace {
  readonly #store: ObjectStore;
  readonly #record: Map<string, Exported>;

  private constructor(store: ObjectStore, record: ExportRecord) {
    this.#store = store;
    this.#record = new Map(record);
  }

  /** @throws UserError where something else has the record's name; as a store does */
  static async open(store: ObjectStore): Promise<ExportPlace> {
    const bytes = await readIfThere(store, RECORD_NAME, MOST_RECORD_BYTES);
    return new ExportPlace(store, decodeRecord(bytes, `${store.url}/${RECORD_NAME}`));
  }

  get record(): ExportRecord {
    return this.#record;
  }

  /** What is under a name: nothing, what an export wrote, or what somebody else did or changed. */
  async look(name: string): Promise<'nothing' | 'ours' | 'other'> {
    const found = await this.#store.find(name);
    if (found === null) return 'nothing';
    return isSame(found, this.#record.get(name)) ? 'ours' : 'other';
  }

  /**
   * Writes a file, in the place of what an export wrote there.
   *
   * @returns false where something else is there, which stays
   */
  async put(name: string, data: Uint8Array, contentType: string, exported: Exported): Promise<boolean> {
    const found = await this.#store.find(name);
    if (found !== null && !isSame(found, exported)) {
      if (!isSame(found, this.#record.get(name))) return false;
      // Exactly what was looked at, so that what somebody puts there meanwhile stays.
      if (!(await this.#store.removeVersion(found))) return false;
    }
    const { created, stat } = await this.#store.create(name, data, contentType);
    if (!created && !isSame(stat, exported)) return false;
    this.#record.set(name, exported);
    return true;
  }

  /** Has a later export make these again. */
  doubt(names: readonly string[]): void {
    for (const name of names) this.#record.set(name, { ...this.#record.get(name)!, from: '' });
  }

  /** Keeps what was written so far, beside what others have exported there meanwhile. */
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
