export type Decision = 'approved' | 'rejected';

export type DecisionRow = { id: string; renderKey: string; decision: Decision };

const COLUMNS = ['id', 'render_key', 'decision'] as const;

/**
 * The exported table (RFC 4180): each row names the picture that was reviewed, so that a decision never applies to another
 * picture with the same id. Text that a spreadsheet would read as a formula gets an apostrophe in front.
 */
export const decisionsCsv = (rows: readonly DecisionRow[]): string =>
  [COLUMNS, ...rows.map(({ id, renderKey, decision }) => [id, renderKey, decision])]
    .map((cells) => `${cells.map(quoted).join(',')}\r\n`)
    .join('');

const quoted = (cell: string): string => `"${(/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell).replaceAll('"', '""')}"`;

/**
 * Reads that table back, even after a spreadsheet has saved it with semicolons or tabs, extra columns or in another order.
 *
 * @throws Error that says what was expected, what was found and where
 */
export function readDecisionsCsv(text: string): DecisionRow[] {
  const [header, ...rows] = parseTable(text.replace(/^\uFEFF/, ''));
  const places = COLUMNS.map((name) => (header ?? []).findIndex((cell) => cell.trim().toLowerCase() === name));
  if (places.includes(-1)) {
    const found = header === undefined ? 'an empty file' : header.join(', ');
    throw new Error(`expected a table with the columns ${COLUMNS.join(', ')}, found ${found}`);
  }
  return rows.map((cells, index) => {
    const [id = '', renderKey = '', decision = ''] = places.map((place) => cells[place]);
    if (decision !== 'approved' && decision !== 'rejected') {
      throw new Error(
        `row ${index + 2}: expected the decision approved or rejected, found ${JSON.stringify(decision)}`,
      );
    }
    return { id: id.replace(/^'/, ''), renderKey, decision };
  });
}

/** Rows of cells; empty lines are skipped. */
function parseTable(text: string): string[][] {
  const separator = [',', ';', '\t'].find((candidate) => text.split(/[\r\n]/, 1)[0]!.includes(candidate)) ?? ',';
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"\\r\\n${separator}]*))(${separator}|\\r\\n|\\n|\\r|$)`, 'y');
  const rows: string[][] = [];
  let row: string[] = [];
  for (let at = 0; at < text.length || row.length > 0; at = cell.lastIndex) {
    cell.lastIndex = at;
    const found = cell.exec(text);
    if (found === null) {
      const there = JSON.stringify(text.slice(at, at + 40));
      throw new Error(`row ${rows.length + 1}: expected cells between "${separator}", found ${there}`);
    }
    row.push(found[1]?.replaceAll('""', '"') ?? found[2]!);
    if (found[3] === separator) continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}
