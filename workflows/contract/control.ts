import type { RowFilter } from '../../domain/row-filter.ts';
import type { Size } from '../../domain/size.ts';
import type { FailureBudget } from './batch.ts';
import { MAX_WINDOW } from './limits.ts';

/** The name of the update that sends a ControlChange to a batch. */
export const CONTROL_UPDATE = 'control';

/** What a person may change while a batch runs. */
export type ControlChange =
  | { kind: 'pause' }
  /** `maxFailures` replaces the budget; default: the same number of further failures. */
  | { kind: 'resume'; maxFailures?: FailureBudget }
  | { kind: 'window'; window: number }
  /** 1 (first) … 5 (last): the new priority of rows with the default one; other rows move by the same amount. */
  | { kind: 'priority'; priority: number }
  | { kind: 'cancel-size'; size: Size }
  | { kind: 'cancel-rows'; filter: RowFilter };

/** How a batch runs from now on; plain data, so that it is carried over when the batch continues as new. */
export type BatchControl = {
  /** 0 until somebody changes something. */
  version: number;
  /** Why it is paused, in words; `null` if it is not. */
  paused: string | null;
  window: number;
  priority: number;
  cancelledSizes: Size[];
  filters: RowFilter[];
  maxFailures: FailureBudget | null;
  /** The number of failures when a person last resumed it. */
  forgiven: number;
};

/** The part of it that a shard needs to know. */
export type ShardControl = {
  /** Signals may overtake each other: a shard ignores any that is older than the last one that it received. */
  sequence: number;
  paused: boolean;
  window: number;
  priority: number;
  cancelAll: boolean;
  filters: RowFilter[];
};

export const USUAL_PRIORITY = 3;

/** Why a value is not a valid window, or `null`. */
export const windowFault = (window: unknown): string | null => numberFault('window', window, MAX_WINDOW);

/** Why a value is not a valid priority, or `null`. */
export const priorityFault = (priority: unknown): string | null => numberFault('priority', priority, 5);

const numberFault = (name: string, value: unknown, max: number): string | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
    ? null
    : `${name}: expected a whole number from 1 to ${max}, found ${typeof value === 'number' ? value : JSON.stringify(value)}`;
