/** Results go to standard output, everything else to standard error. */
export const printLine = (text: string): void => void process.stdout.write(`${text}\n`);

/** One JSON value a line. */
export const printJson = (value: unknown): void => printLine(JSON.stringify(value));

export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Progress that goes to a log and not to a terminal has at most a line in so long. */
export const LOG_INTERVAL_MS = 5_000;

/** Rows in columns that are as wide as their widest cell. */
export function table(rows: readonly (readonly string[])[]): string {
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

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
