import { ACTIVITIES, accessOf, type Cell, FAULTS, idOf, type StoreKind } from './cells.ts';
import type { Found } from './run-cell.ts';

/** What came of a cell. */
export type Outcome = Found | (Cell & { failed: string });

/** A line of a run's results. */
export type Recorded = { seed: number } & Outcome;

/** The last finding of each cell, as Markdown: a table for each kind of store. */
export function tableOf(all: Recorded[]): string {
  const last = new Map(all.map((found) => [idOf(found), found]));
  return (['bucket', 'folder'] as const).map((store) => tableFor(store, last)).join('\n\n');
}

function tableFor(store: StoreKind, last: Map<string, Recorded>): string {
  const rows = ACTIVITIES.map(({ name: activity }) => {
    const found = FAULTS.map((fault) => wordFor({ activity, fault, store }, last));
    return `| \`${activity}\` | ${found.join(' | ')} |`;
  });
  return [`| ${store} | ${FAULTS.join(' | ')} |`, `| --- |${' --- |'.repeat(FAULTS.length)}`, ...rows].join('\n');
}

/** Empty where there is nothing to meet. */
function wordFor(cell: Cell, last: Map<string, Recorded>): string {
  if (accessOf(cell) === null) return '';
  const found = last.get(idOf(cell));
  if (found === undefined) return '?';
  if ('failed' in found) return '**failed**';
  const again = found.computedAgain > 0 ? ` +${found.computedAgain}` : '';
  return `ok${found.told === null ? '' : ', told'}${again}`;
}
