import { Buffer, isAscii, isUtf8 } from 'node:buffer';
import { quoted } from '../../domain/printable.mjs';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import { type ByteSource, plainBytes } from './bytes.ts';
import type { ReadAs } from './read-as.ts';
import { isWindows1252, windows1252 } from './windows-1252.ts';

const NEWLINE = 0x0a;

/** Whole lines, including newlines, and the number of the first. */
type Block = { line: number; bytes: Buffer };

/**
 * Decodes a catalog as strict UTF-8; as UTF-16, if it has that mark; or as Windows-1252, if its first bytes beyond ASCII can be
 * nothing else and spreadsheets write its format. Yields blocks of whole lines with "\n" line endings, whatever the file
 * uses, and without a byte order mark. A line with a bad byte is a problem, and reading continues.
 * @param readAs receives the encoding
 * @throws CatalogError for a file or a line that is too long, and for anything that is not text
 */
export async function* readText(source: ByteSource, problems: Problems, readAs: ReadAs): AsyncGenerator<string> {
  for await (const block of wholeLines(source, problems, readAs)) {
    if (readAs.encoding === null && !isAscii(block.bytes)) chooseEncoding(block.bytes, readAs);
    const isWindows = readAs.encoding === 'Windows-1252';
    if (isWindows ? !isAscii(block.bytes) : !isUtf8(block.bytes)) reportBadLines(block, isWindows, problems);
    yield isWindows ? windows1252(block.bytes) : block.bytes.toString('utf8');
  }
}

/** Decides by the first lines that are not pure ASCII. JSON is UTF-8 by its standard. */
function chooseEncoding(bytes: Buffer, readAs: ReadAs): void {
  const isWindows = readAs.format !== 'jsonl' && isWindows1252([...linesOf(bytes)]);
  readAs.encoding = isWindows ? 'Windows-1252' : 'UTF-8';
  if (isWindows)
    readAs.assumedFor = /[\p{L}\p{N}]*[^\0-\x7f][\p{L}\p{N}]*/u.exec(windows1252(bytes))?.[0].slice(0, 40) ?? null;
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

async function* wholeLines(source: ByteSource, problems: Problems, readAs: ReadAs): AsyncGenerator<Block> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  for await (const piece of plainBytes(source, problems, readAs)) {
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

function reportBadLines({ bytes, line: first }: Block, isWindows: boolean, problems: Problems): void {
  let line = first;
  for (const text of linesOf(bytes)) {
    if (isWindows && !isAscii(text) && !isWindows1252([text])) {
      const found = isUtf8(text) ? 'UTF-8' : 'other bytes';
      problems.add({ line, column: null, expected: 'text in Windows-1252, as in the lines before', found });
    } else if (!isWindows && !isUtf8(text)) {
      problems.add({ line, column: null, expected: 'text in UTF-8 (save it as "CSV UTF-8")', found: badBytes(text) });
    }
    line += 1;
  }
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

/** Shows the text around the first byte that could not be decoded, which appears as U+FFFD. */
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
