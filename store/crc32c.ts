/** CRC-32C (Castagnoli, RFC 3720, appendix B.4): the checksum that Cloud Storage keeps for every object. */
import { crc32c as update } from '@node-rs/crc32';

/** A checksum fed in pieces, in the shape of the `crc32cGenerator` that @google-cloud/storage accepts. */
export class Crc32c {
  #sum = 0;

  update(data: Uint8Array): void {
    this.#sum = update(data, this.#sum);
  }

  /** Base64 of the big-endian value, as Cloud Storage prints it. */
  toString(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#sum);
    return bytes.toString('base64');
  }

  validate(expected: string): boolean {
    return this.toString() === expected;
  }
}

/** Returns the checksum of bytes in memory, in the same form. */
export function crc32c(data: Uint8Array): string {
  const sum = new Crc32c();
  sum.update(data);
  return sum.toString();
}
