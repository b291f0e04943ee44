import type { RowFilter } from '../../domain/row-filter.ts';
import type { Size } from '../../domain/size.ts';
import type { FailureBudget } from './batch.ts';
import { MAX_WINDOW } from './limits.ts';

/** The name of the update by which a batch takes a ControlChange. */
export const CONTROL_UPDATE = 'control';

/** What a person may change of a batch while it runs. */
export type ControlChange =
  | { kind: 'pause' }
  /** `maxFailures` replaces the budget; without it as many failures again are borne. */
  | { kind: 'resume'; maxFailures?: FailureBudget }
  | { kind: 'window'; window: number }
  /** 1 (first) … 5 (last): rows of the usual priority get it, others keep their distance from them. */
  | { kind: 'priority'; priority: number }
  | { kind: 'cancel-size'; size: Size }
  | { kind: 'cancel-rows'; filter: RowFilter };

/** How a batch is to be run from now on; plain data, so that it travels when the batch continues as new. */
export type BatchControl = {
  /** 0 until somebody changes something. */
  version: number;
  /** Why, in words for a person. */
  paused: string | null;
  window: number;
  priority: number;
  cancelledSizes: Size[];
  filters: RowFilter[];
  maxFailures: FailureBudget | null;
  /** Failures that were there when a person last said to go on. */
  forgiven: number;
};

/** The part of it that a shard has to know. */
export type ShardControl = {
  /** Signals may overtake each other: a shard heeds none that is older than what it has heard. */
  sequence: number;
  paused: boolean;
  window: number;
  priority: number;
  cancelAll: boolean;
  filters: RowFilter[];
};

export const USUAL_PRIORITY = 3;

/** Why a value cannot be a window, or `null`. */
export const windowFault = (window: unknown): string | null => numberFault('window', window, MAX_WINDOW);

/** Why a value cannot be a priority, or `null`. */
export const priorityFault = (priority: unknown): string | null => numberFault('priority', priority, 5);

const numberFault = (name: string, value: unknown, max: number): string | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
    ? null
    : `${name}: expected a whole number from 1 to ${max}, found ${typeof value === 'number' ? value : JSON.stringify(value)}`;
