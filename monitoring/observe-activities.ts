import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptorsFactory } from '@temporalio/worker';
import { traceOf } from '../workflows/tracing/trace-header.ts';
import { beginActivitySpan } from './tracing/activity-span.ts';
import type { Attributes } from './tracing/span.ts';
import type { Tracer } from './tracing/tracer.ts';

type ObservedActivity = {
  /** Adds a part of the activity to its trace. */
  part(name: string, startMs: number, endMs: number): void;
  /** Adds attributes to the activity's span and log lines, besides batch and attempt. */
  describe(attributes: Attributes): void;
};

/** What to do around an activity; `work` runs it with the given arguments. */
type Around = (
  context: Context,
  input: ActivityExecuteInput,
  activity: ObservedActivity,
  work: (args: unknown[]) => Promise<unknown>,
) => Promise<unknown>;

/**
 * Gives every activity a span, if its workflow is part of a trace, and adds the batch to every line that it logs.
 * Without a tracer this costs no more than a few function calls.
 */
export const observeActivities =
  (
    tracer: Tracer | null,
    around: Around = (_context, { args }, _activity, work) => work(args),
  ): ActivityInterceptorsFactory =>
  (context) => {
    let said: Attributes = {};
    return {
      inbound: {
        async execute(input, next) {
          said = subjectOf(input);
          const trace = tracer === null ? null : traceOf(input.headers);
          const span = trace === null ? null : beginActivitySpan(tracer!, trace, context.info);
          const activity: ObservedActivity = {
            part: (...part) => span?.part(...part),
            describe: (more) => {
              said = { ...said, ...more };
            },
          };
          const attributes = () => ({ ...said, attempt: context.info.attempt });
          try {
            const result = await around(context, input, activity, (args) => next({ ...input, args }));
            span?.end(attributes());
            return result;
          } catch (error) {
            span?.end(attributes(), error instanceof CancelledFailure ? 'cancelled' : nameOf(error));
            throw error;
          }
        },
      },
      outbound: { getLogAttributes: (input, next) => next({ ...input, ...said }) },
    };
  };

/**
 * The batch from an activity's input. All of our activities have it, except the one that reads a shard, which has the
 * shard's name.
 */
function subjectOf({ args: [input] }: ActivityExecuteInput): Attributes {
  const { batch } = (input ?? {}) as { batch?: string };
  return batch === undefined ? {} : { batch };
}

/** The error's type, not its message, which may quote what a person wrote. */
const nameOf = (error: unknown): string =>
  error instanceof Error ? ((error as { type?: string | null }).type ?? error.name) : typeof error;
