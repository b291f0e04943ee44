import { Buffer, isUtf8 } from 'node:buffer';
import { quoted } from '../../domain/printable.mjs';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import { type ByteSource, plainBytes } from './bytes.ts';

const NEWLINE = 0x0a;

/** Whole lines, newlines included, and the number of the first. */
type Block = { line: number; bytes: Buffer };

/**
 * Decodes a catalog as strict UTF-8, or as UTF-16 where its mark says so. Yields blocks of whole lines with "\n" at their ends,
 * whatever the file uses, and without a byte order mark. A line with a bad byte is a problem, and reading goes on.
 * @throws CatalogError for a file or a line that is too long, and for what is no text
 */
export async function* readText(source: ByteSource, problems: Problems): AsyncGenerator<string> {
  for await (const block of wholeLines(source, problems)) {
    if (!isUtf8(block.bytes)) reportBadLines(block.bytes, block.line, problems);
    yield block.bytes.toString('utf8');
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
  let line = 1;
  for await (const piece of plainBytes(source, problems)) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const whole = bytes.subarray(0, end);
    if (end > 0) yield { line, bytes: whole };
    line += countNewlines(whole);
    rest = bytes.subarray(end);
    if (rest.length > CATALOG_LIMITS.rowBytes) {
      const expected = `a line of at most ${CATALOG_LIMITS.rowBytes} bytes`;
      throw problems.fatal({ line, column: null, expected, found: 'more' });
    }
  }
  if (rest.length > 0) yield { line, bytes: rest };
}

function reportBadLines(bytes: Buffer, firstLine: number, problems: Problems): void {
  let start = 0;
  for (let line = firstLine; start < bytes.length; line += 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.subarray(start, end);
    if (!isUtf8(text))
      problems.add({ line, column: null, expected: 'text in UTF-8, as "CSV UTF-8" saves it', found: badBytes(text) });
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
