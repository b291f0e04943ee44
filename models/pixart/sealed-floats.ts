import { createHash } from 'node:crypto';

/**
 * Numbers in bytes, with a header that says whose they are:
 *
 *   SHA-256 of all that follows, 32 bytes
 *   the header's length, uint32, and the header, JSON padded with spaces to a multiple of 4
 *   the arrays, one after another: float32, little-endian, as every machine that we serve has them
 */
const HASH_BYTES = 32;
const LENGTH_BYTES = 4;
const FLOAT_BYTES = 4;

export function sealFloats(header: object, arrays: readonly Float32Array[]): Uint8Array {
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / FLOAT_BYTES) * FLOAT_BYTES));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(json.length);
  const parts = [length, json, ...arrays.map(bytesOf)];
  return Buffer.concat([sha256(parts), ...parts]);
}

/** What was sealed: the header, `null` where it is no JSON, and the arrays' numbers, all of them in one. */
type Sealed = { header: unknown; floats: Float32Array };

/** @returns a sentence that says why these bytes are not what was sealed */
export function openFloats(bytes: Uint8Array): Sealed | string {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(HASH_BYTES);
  if (body.length < LENGTH_BYTES) return `expected a header, found ${bytes.length} bytes in all`;
  if (!sha256([body]).equals(bytes.subarray(0, HASH_BYTES))) return 'its checksum does not match';
  const floatsAt = LENGTH_BYTES + body.readUInt32LE();
  const floats = body.subarray(floatsAt);
  if (floats.length % FLOAT_BYTES !== 0) return 'its parts do not fit';
  return { header: parsed(body.subarray(LENGTH_BYTES, floatsAt)), floats: floatsOf(floats) };
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return null;
  }
}

function sha256(parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A copy: the bytes need not be aligned for floats, and the caller may release them. */
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);
