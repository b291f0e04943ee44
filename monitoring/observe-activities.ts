import type { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInterceptorsFactory } from '@temporalio/worker';
import { traceOf } from '../workflows/tracing/trace-header.ts';
import { beginActivitySpan } from './tracing/activity-span.ts';
import type { Attributes } from './tracing/span.ts';
import type { Tracer } from './tracing/tracer.ts';

export type ObservedActivity = {
  /** Hears how long a part of the activity took, for its trace. */
  part(name: string, startMs: number, endMs: number): void;
  /** What the activity's span and log lines say of it besides batch and attempt. */
  describe(attributes: Attributes): void;
};

/** What to do around an activity of a kind; `work` runs it with the arguments that it is given. */
export type Around = (
  context: Context,
  input: ActivityExecuteInput,
  activity: ObservedActivity,
  work: (args: unknown[]) => Promise<unknown>,
) => Promise<unknown>;

/**
 * Gives every activity a span, where its workflow is part of a trace, and every line that is logged in it the batch.
 * Nothing but a few function calls is spent where there is no tracer.
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

/** Every activity of ours is told its batch, except the one that reads a shard: that one knows the shard's name. */
function subjectOf({ args: [input] }: ActivityExecuteInput): Attributes {
  const { batch } = (input ?? {}) as { batch?: string };
  return batch === undefined ? {} : { batch };
}

/** The kind of error, not its text, which may quote what a person wrote. */
const nameOf = (error: unknown): string =>
  error instanceof Error ? ((error as { type?: string | null }).type ?? error.name) : typeof error;
