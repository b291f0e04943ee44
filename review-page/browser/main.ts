import type { SheetHead } from '../format.ts';
import { Compare } from './compare.ts';
import { Decisions, openStorage } from './decisions.ts';
import { button, count, make } from './dom.ts';
import { chooseFile, exportDecisions, importDecisions } from './exchange.ts';
import { FilterBar } from './filter-bar.ts';
import { Grid } from './grid.ts';
import { makeHelp } from './help.ts';
import { listenToKeys } from './keyboard.ts';
import { CATALOG_ORDER } from './order.ts';
import { OrderControl } from './order-control.ts';
import { Review } from './review.ts';
import { Rows } from './rows.ts';
import { Zoom } from './zoom.ts';

const head: SheetHead = JSON.parse(document.getElementById('head')!.textContent!);
const message = make('p', { className: 'toast', role: 'status' });
const TOLD_MS = 10_000;

function say(text: string): void {
  message.textContent = text;
}

function sayForAWhile(text: string): void {
  say(text);
  setTimeout(() => {
    if (message.textContent === text) say('');
  }, TOLD_MS);
}

function warnOfLoss(): void {
  say('This browser does not keep decisions for this page: export them before you close it.');
  addEventListener('beforeunload', (event) => {
    if (review.counts.approved + review.counts.rejected > 0) event.preventDefault();
  });
}

const rows = new Rows(head);
const decisions = new Decisions(head.batch, openStorage(), warnOfLoss);
const review = new Review(rows, decisions);

const zoom = new Zoom(review, () => compare.open());
const compare = new Compare(review);
const filters = new FilterBar(review, {
  changed: () => grid.scrollToCurrent(),
  submitted: () => grid.reveal(),
});
const order = new OrderControl(review, () => grid.scrollToCurrent());
filters.element.append(order.element);
const help = makeHelp(decisions.kept);
const grid = new Grid(review, {
  open: (place) => {
    review.moveTo(place);
    zoom.open();
  },
  // A click does not move to the next image; a second one reverts the decision.
  decide: (place, decision) => {
    const row = review.rowAt(place);
    if (row !== undefined) review.decide(row, decisions.of(row) === decision ? null : decision);
  },
  focus: (place) => {
    if (place !== review.current) review.moveTo(place);
  },
});
zoom.element.addEventListener('close', () => grid.reveal());
compare.element.addEventListener('close', () => {
  if (!zoom.isOpen) grid.reveal();
});

const tally = make('span', { className: 'tally' });
review.onChange(() => {
  const { approved, rejected } = review.counts;
  tally.replaceChildren(
    make('span', { className: 'approved' }, `✓ ${count(approved)} approved`),
    make('span', { className: 'rejected' }, `✕ ${count(rejected)} rejected`),
  );
});

const exchange = [
  button('Export decisions', 'Export decisions as decisions.csv', () => exportDecisions(review)),
  button('Import', 'Import decisions.csv', () => chooseFile(takeOver)),
];
// They need all rows.
for (const control of [...exchange, order]) control.disabled = true;

const actions = make(
  'span',
  { className: 'actions' },
  ...exchange,
  button('?', 'Help (?)', () => help.showModal(), 'round'),
);

function takeOver(text: string): void {
  try {
    sayForAWhile(importDecisions(review, text));
  } catch (error) {
    sayForAWhile(`Nothing imported: ${(error as Error).message}`);
  }
}

const title = make('h1', {}, head.batch);
document.body.append(
  make('header', {}, make('div', { className: 'top' }, title, tally, actions), filters.element),
  grid.element,
  message,
  zoom.element,
  compare.element,
  help,
);

listenToKeys({ review, grid, zoom, compare, filters, help });
addEventListener('storage', ({ key }) => {
  if (key !== null) decisions.take(key);
  review.refresh();
});
if (!decisions.kept) warnOfLoss();

rows
  .load(() => review.refresh())
  .then(() => {
    review.order = CATALOG_ORDER;
    filters.offerColumns();
    for (const control of [...exchange, order]) control.disabled = false;
    if (rows.failed.length > 0) {
      say(
        `Some rows are missing: expected ${rows.failed.join(', ')} next to this page. Copy the whole folder of the batch.`,
      );
    }
    document.body.dataset.loaded = 'true';
  });
