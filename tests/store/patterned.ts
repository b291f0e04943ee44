export const KILLED_BYTES = 8 * 1024 * 1024;

/** Bytes that differ along the way, so that a part that is missing or repeated shows. */
export function patterned(length: number): Uint8Array {
  const data = new Uint32Array(length / 4);
  for (let word = 0; word < data.length; word++) data[word] = Math.imul(word, 2654435761);
  return new Uint8Array(data.buffer);
}
