import type { Compare } from './compare.ts';
import type { FilterBar } from './filter-bar.ts';
import type { Grid } from './grid.ts';
import type { Review } from './review.ts';
import type { Zoom } from './zoom.ts';

export type Parts = {
  review: Review;
  grid: Grid;
  zoom: Zoom;
  compare: Compare;
  filters: FilterBar;
  help: HTMLDialogElement;
};

/** Listens to keys that are not typed into a field. */
export function listenToKeys(parts: Parts): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (isWriting(event)) leaveField(event, parts.grid);
    else if (handle(event, parts)) event.preventDefault();
  });
}

function isWriting({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}

/** Escape first clears a search, as browsers do, and then returns to the images. */
function leaveField({ key, target }: KeyboardEvent, grid: Grid): void {
  if (key !== 'Escape' || (target instanceof HTMLInputElement && target.value !== '')) return;
  grid.reveal();
}

function handle(event: KeyboardEvent, { review, grid, zoom, compare, filters, help }: Parts): boolean {
  if (help.open) return false;
  if (event.key === '?') return done(() => help.showModal());
  if (compare.isOpen) return event.key === 'u' ? done(() => review.undo()) : compare.key(event);
  if (event.key === 'u') return done(() => review.undo(), grid, zoom);
  if (event.key === 'c') return done(() => compare.open());
  if (event.key === 'a') return done(() => review.decideAndGoOn('approved'), grid, zoom);
  if (event.key === 'r') return done(() => review.decideAndGoOn('rejected'), grid, zoom);
  if (zoom.isOpen) return zoom.key(event);
  if (event.key === '/') return done(() => filters.search.focus());
  if (event.key === 'Enter' && event.target === document.body) return done(() => zoom.open());
  const step = gridStep(event.key, review, grid);
  if (step === null) return false;
  return done(() => review.moveTo(review.current + step), grid, zoom);
}

/** How many places a key moves in the grid; `null` if it is not such a key. */
function gridStep(key: string, { current, matches }: Review, { columns, page }: Grid): number | null {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: current < columns ? 0 : -columns,
    ArrowDown: current + columns < matches.length ? columns : matches.length - 1 - current,
    PageUp: -page * columns,
    PageDown: page * columns,
    Home: -current,
    End: matches.length - 1 - current,
  };
  return steps[key] ?? null;
}

function done(action: () => void, grid?: Grid, zoom?: Zoom): true {
  action();
  // While an image is open, the grid only follows when it is closed.
  if (zoom?.isOpen === false) grid?.reveal();
  return true;
}
