import { type DecisionRow, decisionsCsv, readDecisionsCsv } from './decisions-csv.ts';
import { count, make } from './dom.ts';
import type { Review } from './review.ts';

/** Hands the decisions on all rows to the browser as a file to keep. */
export function exportDecisions({ rows, decisions }: Review): void {
  const decided: DecisionRow[] = [];
  for (const [, row] of rows) {
    const decision = decisions.of(row);
    if (decision !== null) decided.push({ id: row.id, renderKey: row.renderKey, decision });
  }
  const address = URL.createObjectURL(new Blob([decisionsCsv(decided)], { type: 'text/csv' }));
  make('a', { href: address, download: 'decisions.csv' }).click();
  // The browser may begin to read it only later.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Takes over the decisions of such a file, and says what became of them. @throws Error if it is none */
export function importDecisions(review: Review, text: string): string {
  const pictures = new Set([...review.rows].map(([, { id, renderKey }]) => `${renderKey}/${id}`));
  const read = readDecisionsCsv(text);
  const ours = read.filter(({ id, renderKey }) => pictures.has(`${renderKey}/${id}`));
  review.decisions.decide(ours);
  review.refresh();
  const others = read.length - ours.length;
  const left = others === 0 ? '' : `; ${count(others)} left out: about pictures that are not here`;
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
