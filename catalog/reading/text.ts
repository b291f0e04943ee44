import { Buffer, isUtf8 } from 'node:buffer';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import { type Problems, quoted } from '../problems.ts';

const NEWLINE = 0x0a;
const SLICE = 64 * 2 ** 10;

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Whole lines, newlines included, and the number of the first. */
type Block = { line: number; bytes: Buffer };

/**
 * Decodes a catalog as strict UTF-8. Yields blocks of whole lines with "\n" at their ends, whatever the file uses,
 * and without a byte order mark. A line with a bad byte is a problem, and reading goes on.
 * @throws CatalogError for a file or a line that is too long, and for UTF-16
 */
export async function* readText(source: ByteSource, problems: Problems): AsyncGenerator<string> {
  for await (const block of wholeLines(source, problems)) {
    const bytes = block.line === 1 ? withoutMark(block.bytes, problems) : block.bytes;
    if (!isUtf8(bytes)) reportBadLines(bytes, block.line, problems);
    yield bytes.toString('utf8').replaceAll(/\r\n?/g, '\n');
  }
}

/** Lines of text with their numbers, without the newlines; empty lines are left out. */
export async function* readLines(blocks: AsyncIterable<string>): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  for await (const block of blocks) {
    const lines = block.split('\n');
    if (lines.at(-1) === '') lines.pop();
    for (const text of lines) {
      line += 1;
      if (text.trim() !== '') yield { line, text };
    }
  }
}

async function* wholeLines(source: ByteSource, problems: Problems): AsyncGenerator<Block> {
  let rest: Buffer = Buffer.alloc(0);
  let total = 0;
  let line = 1;
  for await (const slice of slices(source)) {
    total += slice.length;
    if (total > CATALOG_LIMITS.bytes) {
      throw problems.fatal({
        line: null,
        column: null,
        expected: `at most ${CATALOG_LIMITS.bytes} bytes`,
        found: 'more',
      });
    }
    const bytes = rest.length > 0 ? Buffer.concat([rest, slice]) : slice;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const whole = bytes.subarray(0, end);
    if (end > 0) yield { line, bytes: whole };
    line += countNewlines(whole);
    rest = bytes.subarray(end);
    if (rest.length > CATALOG_LIMITS.rowBytes) {
      throw problems.fatal({
        line,
        column: null,
        expected: `a line of at most ${CATALOG_LIMITS.rowBytes} bytes`,
        found: 'more',
      });
    }
  }
  if (rest.length > 0) yield { line, bytes: rest };
}

/** Small pieces, so that memory stays small where the source is one large array. */
async function* slices(source: ByteSource): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let start = 0; start < bytes.length; start += SLICE) yield bytes.subarray(start, start + SLICE);
  }
}

function withoutMark(bytes: Buffer, problems: Problems): Buffer {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) {
    throw problems.fatal({
      line: null,
      column: null,
      expected: 'text in UTF-8',
      found: 'UTF-16; save it as "CSV UTF-8"',
    });
  }
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

function reportBadLines(bytes: Buffer, firstLine: number, problems: Problems): void {
  let start = 0;
  for (let line = firstLine; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.subarray(start, end);
    if (!isUtf8(text)) problems.add({ line, column: null, expected: 'text in UTF-8', found: badBytes(text) });
    start = end + 1;
  }
}

/** Shows what stands around the first byte that could not be decoded, which reads as U+FFFD. */
function badBytes(line: Buffer): string {
  const text = line.toString('utf8');
  const at = Math.max(0, text.indexOf('\ufffd') - 20);
  return `other bytes at the \ufffd in ${quoted(text.slice(at, at + 40))}`;
}

function countNewlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
