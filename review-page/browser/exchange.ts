import { type DecisionRow, decisionsCsv, readDecisionsCsv } from './decisions-csv.ts';
import { count, make } from './dom.ts';
import type { Review } from './review.ts';

/** Offers the decisions on all rows as a download. */
export function exportDecisions({ rows, decisions }: Review): void {
  const decided: DecisionRow[] = [];
  for (const [, row] of rows) {
    const decision = decisions.of(row);
    if (decision !== null) decided.push({ id: row.id, renderKey: row.renderKey, decision });
  }
  const address = URL.createObjectURL(new Blob([decisionsCsv(decided)], { type: 'text/csv' }));
  make('a', { href: address, download: 'decisions.csv' }).click();
  // The browser may start to read it later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Imports the decisions of such a file. @returns a summary for the user @throws Error if it is not such a file */
export function importDecisions(review: Review, text: string): string {
  const pictures = new Set([...review.rows].map(([, { id, renderKey }]) => `${renderKey}/${id}`));
  const read = readDecisionsCsv(text);
  const ours = read.filter(({ id, renderKey }) => pictures.has(`${renderKey}/${id}`));
  review.decisions.decide(ours);
  review.refresh();
  const others = read.length - ours.length;
  const left = others === 0 ? '' : `; ${count(others)} skipped: about images that are not here`;
  return `${count(ours.length)} ${ours.length === 1 ? 'decision' : 'decisions'} imported${left}`;
}

/** Lets a person choose a file and reads it. */
export function chooseFile(then: (text: string) => void): void {
  const input = make('input', { type: 'file', accept: '.csv,text/csv' });
  input.onchange = async () => {
    const file = input.files?.[0];
    if (file !== undefined) then(await file.text());
  };
  input.click();
}
