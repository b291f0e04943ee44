import { buffer } from 'node:stream/consumers';
import yauzl from 'yauzl';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import { Fault } from '../fault.ts';

/** Why a file is not a valid workbook. */
export class NotAWorkbook extends Fault {}

const ZIP = 'a workbook (.xlsx), which is a zip archive';

/** Start of every zip archive that has a file in it. */
const ZIP_MARK = Buffer.from('PK');

/** Start of an old .xls file, and of a workbook with a password. */
const OLE_MARK = Buffer.from([0xd0, 0xcf, 0x11, 0xe0]);

/** The parts of a workbook's archive. The total unpacked size is bounded, whatever the archive claims. */
export class Archive {
  readonly #zip: yauzl.ZipFile;
  readonly #entries: ReadonlyMap<string, yauzl.Entry>;
  #unpacked = 0;

  private constructor(zip: yauzl.ZipFile, entries: ReadonlyMap<string, yauzl.Entry>) {
    this.#zip = zip;
    this.#entries = entries;
  }

  /** @throws NotAWorkbook if this is not a zip archive, or has too many parts */
  static async open(bytes: Buffer): Promise<Archive> {
    if (bytes.subarray(0, OLE_MARK.length).equals(OLE_MARK)) {
      const advice = 'save it as "Excel Workbook (.xlsx)" without one, or as "CSV UTF-8"';
      throw new NotAWorkbook(ZIP, `a workbook with a password, or one of the older kind .xls; ${advice}`);
    }
    if (!bytes.subarray(0, ZIP_MARK.length).equals(ZIP_MARK)) {
      throw new NotAWorkbook(
        ZIP,
        'another kind of file; if it is text, rename it to end in .csv, .tsv, .jsonl or .txt',
      );
    }
    const entries = new Map<string, yauzl.Entry>();
    try {
      const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true });
      for await (const entry of zip.eachEntry()) {
        if (entries.size >= CATALOG_LIMITS.workbookParts) {
          throw new NotAWorkbook(`at most ${CATALOG_LIMITS.workbookParts} parts in the archive`, 'more');
        }
        entries.set(partName(entry.fileName), entry);
      }
      return new Archive(zip, entries);
    } catch (error) {
      throw asNotAWorkbook(error, ZIP);
    }
  }

  /**
   * A part's bytes, unpacked as a stream.
   *
   * @throws NotAWorkbook if there is no such part, it would be too large, or it is damaged
   */
  async *stream(name: string): AsyncGenerator<Buffer> {
    const entry = this.#entry(name);
    this.#unpacked += entry.uncompressedSize;
    if (this.#unpacked > CATALOG_LIMITS.unpackedBytes) {
      throw new NotAWorkbook(
        `a workbook of at most ${CATALOG_LIMITS.unpackedBytes} bytes once it is unpacked`,
        'more; delete unneeded sheets and images, or save the sheet as "CSV UTF-8"',
      );
    }
    try {
      // yauzl fails if there are more bytes than the archive claims.
      yield* (await this.#zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>;
    } catch (error) {
      throw asNotAWorkbook(error, `a part ${name} that can be unpacked`);
    }
  }

  /** @throws like stream */
  async text(name: string): Promise<string> {
    return (await buffer(this.stream(name))).toString('utf8');
  }

  has(name: string): boolean {
    return this.#entries.has(partName(name));
  }

  #entry(name: string): yauzl.Entry {
    const entry = this.#entries.get(partName(name));
    if (entry === undefined) throw new NotAWorkbook(`a part ${name} in the workbook`, 'none');
    return entry;
  }
}

/** Programs differ in case and in the leading slash. */
const partName = (name: string): string => name.replace(/^\//, '').toLowerCase();

function asNotAWorkbook(error: unknown, expected: string): NotAWorkbook {
  if (error instanceof NotAWorkbook) return error;
  return new NotAWorkbook(expected, error instanceof Error ? error.message : String(error));
}
