import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** These bytes are no protobuf message. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** A field that holds bytes: a message, a text, or packed numbers. */
type Field = { number: number; end: number };

/** A field that holds one whole number. */
type NumberField = { number: number; value: number };

const WINDOW = 1 << 16;

const LONGEST_VARINT = 10;

const LARGEST_TAG = 2 ** 32;

/**
 * Walks through a protobuf file of any size by its wire format, through one small window: skipped fields are not read.
 * Synchronous, since a graph has tens of thousands of fields of a few bytes.
 */
export class WireReader {
  readonly size: number;
  readonly #file: number;
  readonly #window = Buffer.allocUnsafe(WINDOW);
  #from = 0;
  #to = 0;
  #position = 0;

  constructor(file: string) {
    this.#file = openSync(file, 'r');
    this.size = fstatSync(this.#file).size;
  }

  close(): void {
    closeSync(this.#file);
  }

  /**
   * The fields with bytes from here to the end of a message; numbers are passed over. While one is at hand its content may be read.
   *
   * @throws WireError where a field does not end within the message
   */
  *fields(end: number): Generator<Field> {
    for (const field of this.allFields(end)) if ('end' in field) yield field;
  }

  /** The same with those that hold a whole number. @throws WireError as `fields` */
  *allFields(end: number): Generator<Field | NumberField> {
    while (this.#position < end) {
      const tag = this.#varint();
      const number = Math.floor(tag / 8);
      const value = tag % 8 === VARINT ? this.#varint() : null;
      const fieldEnd = value === null ? this.#fieldEnd(tag % 8) : this.#position;
      if (tag < 8 || tag >= LARGEST_TAG || fieldEnd > end) throw new WireError(`no field at byte ${this.#position}`);
      if (value !== null) yield { number, value };
      else if (tag % 8 === BYTES) yield { number, end: fieldEnd };
      this.#position = fieldEnd;
    }
  }

  /** Packed whole numbers, between here and the end of the field at hand. @throws WireError where they are more than `most` */
  numbers(end: number, most: number): number[] {
    const found: number[] = [];
    while (this.#position < end) {
      if (found.length === most) throw new WireError(`more than ${most} numbers at byte ${this.#position}`);
      found.push(this.#varint());
    }
    return found;
  }

  /** The bytes from here to the end of the current field. */
  text(end: number): string {
    const bytes = Buffer.allocUnsafe(end - this.#position);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#byte();
    return bytes.toString('utf8');
  }

  #fieldEnd(wireType: number): number {
    const width = wireType === BYTES ? this.#varint() : WIDTHS[wireType];
    if (width === undefined) throw new WireError(`no field at byte ${this.#position}`);
    return this.#position + width;
  }

  #varint(): number {
    let value = 0;
    for (let i = 0; i < LONGEST_VARINT; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw new WireError(`no number at byte ${this.#position}`);
  }

  #byte(): number {
    if (this.#position < this.#from || this.#position >= this.#to) {
      this.#from = this.#position;
      this.#to = this.#from + readSync(this.#file, this.#window, 0, WINDOW, this.#from);
      if (this.#to === this.#from) throw new WireError(`it ends at byte ${this.#from}, in the middle of a field`);
    }
    return this.#window[this.#position++ - this.#from]!;
  }
}

const VARINT = 0;

const BYTES = 2;

/** Bytes of what is left of a field of each wire type. Groups are not among them: no ONNX file has any. */
const WIDTHS: Record<number, number> = { 1: 8, 5: 4 };
