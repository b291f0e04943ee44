/** So small that memory stays small, and others have their turn, where the bytes are one large array. */
const PIECE_BYTES = 64 * 2 ** 10;

/** Bytes in small pieces, which share their memory. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) yield bytes.subarray(start, start + PIECE_BYTES);
}
