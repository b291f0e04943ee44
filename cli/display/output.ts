import { LINE_CHARACTERS, oneLine, printable, printableJson } from '../../domain/printable.mjs';

// All that this folder prints goes through here: much of it comes from catalogs, stores and servers (docs/decisions/098).

/** Results go to standard output, everything else to standard error. */
export const printLine = (text: string): void => writeLine(process.stdout, text);

/** One JSON value a line. */
export const printJson = (value: unknown): void =>
  void process.stdout.write(`${printableJson(JSON.stringify(value))}\n`);

export const note = (text: string): void => writeLine(process.stderr, text);

export const writeLine = (stream: NodeJS.WritableStream, text: string): void =>
  void stream.write(`${printable(text)}\n`);

/** Progress that goes to a log and not to a terminal has at most a line in so long. */
export const LOG_INTERVAL_MS = 5_000;

/** On a terminal, and for programs. */
export const LIVE_INTERVAL_MS = 1_000;

/** Rows in columns that are as wide as their widest cell. */
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

/** Of the terminal; of what is no terminal, the width that all have. */
export const lineWidth = (stream: { columns?: number } = process.stdout): number => stream.columns || 80;

/** The end of a text that is too long for its place: of a path, the part that tells most. */
export const ending = (text: string, width: number): string =>
  text.length <= width ? text : `…${text.slice(text.length - Math.max(width - 1, 0))}`;

/** A text in lines of the width at most, but for words that are longer; those after the first are indented. */
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

/** Indented as whoever makes it has it. The last one of a row makes no other row wider. */
const cellText = (text: string, isLast: boolean): string =>
  `${/^ */.exec(text)![0]}${oneLine(text, isLast ? LINE_CHARACTERS : CELL_CHARACTERS)}`;

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
