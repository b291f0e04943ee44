import { ROW_COLUMNS } from '../../domain/parameters.ts';
import { named } from '../../domain/printable.mjs';
import type { RowFilter } from '../../domain/row-filter.ts';
import type { Size } from '../../domain/size.ts';
import type { BatchInput } from '../contract/batch.ts';
import {
  type BatchControl,
  type ControlChange,
  priorityFault,
  USUAL_PRIORITY,
  windowFault,
} from '../contract/control.ts';

export const firstControl = (input: BatchInput): BatchControl => ({
  version: 0,
  paused: null,
  window: input.window,
  priority: USUAL_PRIORITY,
  cancelledSizes: [],
  filters: [],
  maxFailures: input.maxFailures ?? null,
  forgiven: 0,
});

const MAX_FILTERS = 20;
const MAX_PATTERN = 200;
/** With more, matching takes long on a long prompt. */
const MAX_STARS = 3;

/** A batch's sizes and columns; without `columns`, its catalog's columns are unknown. */
type BatchRows = { sizes: Size[]; columns: string[] | undefined };

/** Why a change cannot be made, or `null`. It comes from outside, so nothing about it is assumed. */
export function refusal(control: BatchControl, { sizes, columns }: BatchRows, change: ControlChange): string | null {
  switch (change?.kind) {
    case 'pause':
      return control.paused === null ? null : `it is paused already: ${control.paused}`;
    case 'resume':
      return control.paused === null ? 'it is not paused' : null;
    case 'window':
      return windowFault(change.window);
    case 'priority':
      return priorityFault(change.priority);
    case 'cancel-size':
      return sizes.includes(change.size)
        ? null
        : `size: expected one of its sizes (${sizes.join(', ')}), found ${change.size}`;
    case 'cancel-rows':
      if (control.filters.length >= MAX_FILTERS) return `it already has ${MAX_FILTERS} filters, which is the maximum`;
      if (!isFilter(change.filter)) {
        return `filter: expected a column and a value of at most ${MAX_PATTERN} characters with at most ${MAX_STARS} stars`;
      }
      return unknownColumn(change.filter.column, columns);
    default:
      return `expected pause, resume, window, priority, cancel-size or cancel-rows, found ${JSON.stringify(change)}`;
  }
}

const COLUMNS_SHOWN = 40;

function unknownColumn(column: string, columns: string[] | undefined): string | null {
  if (columns === undefined || [...ROW_COLUMNS, ...columns].includes(column)) return null;
  const known = [...ROW_COLUMNS, ...columns.slice(0, COLUMNS_SHOWN).map(named)];
  return `filter: expected one of the columns of its rows (${known.join(', ')}${columns.length > COLUMNS_SHOWN ? ' …' : ''}), found ${named(column)}`;
}

const isFilter = (filter: RowFilter): boolean =>
  typeof filter?.column === 'string' &&
  filter.column !== '' &&
  typeof filter.pattern === 'string' &&
  filter.pattern.length <= MAX_PATTERN &&
  filter.pattern.split('*').length <= MAX_STARS + 1;

/** The control settings after a change that was not refused. */
export function changed(control: BatchControl, change: ControlChange, failed: number): BatchControl {
  const next = { ...control, version: control.version + 1 };
  switch (change.kind) {
    case 'pause':
      return { ...next, paused: 'a person paused it' };
    case 'resume':
      return { ...next, paused: null, forgiven: failed, maxFailures: change.maxFailures ?? control.maxFailures };
    case 'window':
      return { ...next, window: change.window };
    case 'priority':
      return { ...next, priority: change.priority };
    case 'cancel-size':
      return { ...next, cancelledSizes: [...control.cancelledSizes, change.size] };
    case 'cancel-rows':
      return { ...next, filters: [...control.filters, change.filter] };
  }
}

/** The control settings, paused if more jobs failed than the budget allows. */
export function withinBudget(control: BatchControl, jobs: number, failed: number): BatchControl {
  const { maxFailures: budget, paused, forgiven } = control;
  if (budget === null || paused !== null) return control;
  const borne = 'count' in budget ? budget.count : Math.max(budget.atLeast, Math.floor(budget.share * jobs));
  const found = failed - forgiven;
  if (found <= borne) return control;
  const why = `${found} images failed${forgiven > 0 ? ' since it was resumed' : ''}, more than its budget of ${borne}`;
  return {
    ...control,
    version: control.version + 1,
    paused: `${why}: look at the last failures, then resume or cancel`,
  };
}
