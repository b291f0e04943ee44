/** CRC-32C (Castagnoli, reversed polynomial 0x82F63B78): the checksum that Cloud Storage keeps of every object. */
const tables = makeTables();

/** Eight tables, so that eight bytes are folded in at a time ("slicing-by-8", Kounavis and Berry 2005). */
function makeTables(): Int32Array[] {
  const slices = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    slices[0]![byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let slice = 1; slice < 8; slice++) {
      const previous = slices[slice - 1]![byte]!;
      slices[slice]![byte] = (previous >>> 8) ^ slices[0]![previous & 255]!;
    }
  }
  return slices;
}

function fold(start: number, data: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [Int32Array, ...Int32Array[]];
  const wholeEights = data.length - (data.length % 8);
  let crc = start;
  let at = 0;
  for (; at < wholeEights; at += 8) {
    crc ^= data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24);
    crc =
      t7![crc & 255]! ^
      t6![(crc >>> 8) & 255]! ^
      t5![(crc >>> 16) & 255]! ^
      t4![crc >>> 24]! ^
      t3![data[at + 4]!]! ^
      t2![data[at + 5]!]! ^
      t1![data[at + 6]!]! ^
      t0[data[at + 7]!]!;
  }
  for (; at < data.length; at++) crc = t0[(crc ^ data[at]!) & 255]! ^ (crc >>> 8);
  return crc;
}

/** A checksum that is fed in pieces; it has the shape that @google-cloud/storage takes as its `crc32cGenerator`. */
export class Crc32c {
  #state = -1;

  update(data: Uint8Array): void {
    this.#state = fold(this.#state, data);
  }

  /** Base64 of the big-endian value, as Cloud Storage prints it. */
  toString(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(~this.#state);
    return bytes.toString('base64');
  }

  validate(expected: string): boolean {
    return this.toString() === expected;
  }
}

/** The checksum of bytes that are in memory, as base64 of the big-endian value. */
export function crc32c(data: Uint8Array): string {
  const sum = new Crc32c();
  sum.update(data);
  return sum.toString();
}
