import { Buffer } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import { piecesOf } from './pieces.ts';
import type { ReadAs } from './read-as.ts';

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/** Byte sequences at the start of a file that show its type. */
const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS = [
  { mark: Buffer.from([0xff, 0xfe]), encoding: 'utf-16le' },
  { mark: Buffer.from([0xfe, 0xff]), encoding: 'utf-16be' },
];
const ZIP_MARK = Buffer.from('PK\u0003\u0004');

const startsWith = (bytes: Buffer, mark: Buffer): boolean => bytes.subarray(0, mark.length).equals(mark);

/**
 * A catalog's bytes as UTF-8 without a byte order mark and with "\n" line endings, whatever the file has, in small pieces.
 * UTF-16 is recognised by its mark, which Excel writes for "Unicode text"; other encodings are passed through.
 * @param readAs receives the encoding of the mark
 * @throws CatalogError for a file that is too long, is a workbook, or has a UTF-16 mark but is not UTF-16
 */
export async function* plainBytes(source: ByteSource, problems: Problems, readAs: ReadAs): AsyncGenerator<Buffer> {
  yield* withLineFeeds(asUtf8(atLeast(ZIP_MARK.length, slices(source, problems)), problems, readAs));
}

/** The bytes in small pieces, so that memory stays small even if the source is one large array. */
export async function* slices(source: ByteSource, problems: Problems): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of source) {
    for (const piece of piecesOf(chunk)) {
      total += piece.length;
      if (total > CATALOG_LIMITS.bytes) {
        const expected = `at most ${CATALOG_LIMITS.bytes} bytes`;
        throw problems.fatal({ line: null, column: null, expected, found: 'more' });
      }
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    }
  }
}

/** The first piece is as long as any mark, if the file is. */
async function* atLeast(length: number, pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first: Buffer | null = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (first === null) yield piece;
    else {
      first = Buffer.concat([first, piece]);
      if (first.length < length) continue;
      yield first;
      first = null;
    }
  }
  if (first !== null) yield first;
}

async function* asUtf8(pieces: AsyncIterable<Buffer>, problems: Problems, readAs: ReadAs): AsyncGenerator<Buffer> {
  let decoder: TextDecoder | null = null;
  let isFirst = true;
  for await (const piece of pieces) {
    const isMarked = isFirst && startsWith(piece, UTF8_MARK);
    if (isFirst) decoder = decoderOf(piece, problems);
    if (isMarked) readAs.encoding = 'UTF-8';
    else if (decoder !== null) readAs.encoding = 'UTF-16';
    const bytes = isMarked ? piece.subarray(UTF8_MARK.length) : piece;
    yield decoder === null ? bytes : decoded(decoder, bytes, problems);
    isFirst = false;
  }
  if (decoder !== null) yield decoded(decoder, null, problems);
}

/** `null` for UTF-8. */
function decoderOf(start: Buffer, problems: Problems): TextDecoder | null {
  if (startsWith(start, ZIP_MARK)) {
    const found =
      'a workbook or another archive; read an Excel workbook with --catalog-format xlsx, and save others (.ods, .numbers) as "CSV UTF-8"';
    throw problems.fatal({ line: null, column: null, expected: 'text', found });
  }
  const found = UTF16_MARKS.find(({ mark }) => startsWith(start, mark));
  return found === undefined ? null : new TextDecoder(found.encoding, { fatal: true });
}

function decoded(decoder: TextDecoder, bytes: Buffer | null, problems: Problems): Buffer {
  try {
    return Buffer.from(bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true }));
  } catch {
    const expected = 'text in UTF-16, as the first two bytes say, or in UTF-8';
    throw problems.fatal({ line: null, column: null, expected, found: 'other bytes' });
  }
}

/** Turns CRLF and CR into LF, even across pieces. */
async function* withLineFeeds(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isAfterReturn = false;
  for await (const piece of pieces) {
    const bytes = isAfterReturn && piece[0] === LINE_FEED ? piece.subarray(1) : piece;
    if (piece.length > 0) isAfterReturn = piece.at(-1) === RETURN;
    if (bytes.length === 0) continue;
    yield bytes.includes(RETURN) ? Buffer.from(bytes.toString('latin1').replaceAll(/\r\n?/g, '\n'), 'latin1') : bytes;
  }
}
