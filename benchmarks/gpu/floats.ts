/** Number types of weights, by numpy's names. */
export const FLOAT_TYPES = ['float32', 'float16', 'bfloat16'] as const;

export type FloatType = (typeof FLOAT_TYPES)[number];

export const floatBytes = (type: FloatType): number => (type === 'float32' ? 4 : 2);

/** Numbers in the little-endian bytes of a file of weights. Those that are subnormal in float16 become zero. */
export function encodeFloats(numbers: Float32Array<ArrayBuffer>, type: FloatType): Buffer {
  if (type === 'float32') return Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
  const halves = Uint16Array.from(bits, type === 'float16' ? toHalf : toBrain);
  return Buffer.from(halves.buffer);
}

/** Rounds the bits of a float32 to those of the nearest bfloat16. */
const toBrain = (bits: number): number => (bits + 0x8000) >>> 16;

/** Rounds the bits of a float32 to those of the nearest float16, whose exponent has a bias of 15 instead of 127. */
function toHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const rounded = (bits & 0x7fffffff) + 0x1000;
  const magnitude = (rounded - ((127 - 15) << 23)) >> 13;
  if (magnitude < 0x400) return sign;
  return sign | Math.min(magnitude, 0x7bff);
}
