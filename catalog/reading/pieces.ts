/** Small enough to save memory, and to let others have their turn, even if the bytes are one large array. */
const PIECE_BYTES = 64 * 2 ** 10;

/** Bytes in small pieces, without copying. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) yield bytes.subarray(start, start + PIECE_BYTES);
}
