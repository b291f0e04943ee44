import { LINE_CHARACTERS, oneLine, printable, printableJson } from '../../domain/printable.mjs';

// Everything the command line prints goes through here: much of it comes from catalogs, stores and servers (docs/decisions/098).

/** Results go to standard output, everything else to standard error. */
export const printLine = (text: string): void => writeLine(process.stdout, text);

/** One JSON value per line. */
export const printJson = (value: unknown): void =>
  void process.stdout.write(`${printableJson(JSON.stringify(value))}\n`);

export const note = (text: string): void => writeLine(process.stderr, text);

export const writeLine = (stream: NodeJS.WritableStream, text: string): void =>
  void stream.write(`${printable(text)}\n`);

/** Minimum interval between progress lines in a log. */
export const LOG_INTERVAL_MS = 5_000;

/** Interval of updates on a terminal, and for programs. */
export const LIVE_INTERVAL_MS = 1_000;

/** Aligns rows in columns as wide as their widest cell. */
export function table(texts: readonly (readonly string[])[]): string {
  const rows = texts.map((cells) => cells.map((text, at) => cellText(text, at === cells.length - 1)));
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Width of the terminal; 80 for anything else. */
export const lineWidth = (stream: { columns?: number } = process.stdout): number => stream.columns || 80;

/** The end of a text that is too long for its place: in a path, that is the part that matters most. */
export const ending = (text: string, width: number): string =>
  text.length <= width ? text : `…${text.slice(text.length - Math.max(width - 1, 0))}`;

/** Wraps a text at the width (longer words stay whole), indenting all lines but the first. */
export function wrapped(text: string, indent = '', width: number = lineWidth()): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(lines.length === 0 ? word : `${indent}${word}`);
  }
  return lines.join('\n');
}

const CELL_CHARACTERS = 500;

/** Keeps the caller's indentation. The last cell of a row may be longer, since it widens no column. */
const cellText = (text: string, isLast: boolean): string =>
  `${/^ */.exec(text)![0]}${oneLine(text, isLast ? LINE_CHARACTERS : CELL_CHARACTERS)}`;

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
