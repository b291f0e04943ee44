import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { ZodError } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { ObjectNotFound, StoreDenied } from '../store/index.ts';

const HEARTBEAT_MS = 5_000;

/**
 * What every activity of the orchestrator has in common: it beats by the clock, so that a worker that died is noticed
 * within its heartbeat timeout, and what another attempt would find just the same is not tried again. A store that
 * denies access is waited for, because the images are there and the fault is often the machine's token service.
 */
export function orchestratorActivity<I, R>(
  activity: (input: I) => Promise<R>,
  isFinal: (error: Error) => boolean = isFinalForRecords,
): (input: I) => Promise<R> {
  return async (input) => {
    const context = Context.current();
    const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
    try {
      return await activity(input);
    } catch (error) {
      throw error instanceof Error && isFinal(error)
        ? ApplicationFailure.fromError(error, { type: error.name, nonRetryable: true })
        : error;
    } finally {
      clearInterval(timer);
    }
  };
}

const isFinalForRecords = (error: Error): boolean => isFinalForPlan(error) && !(error instanceof StoreDenied);

/**
 * A person has to act, or what the batch wrote earlier is missing or not what we write. Before anything is rendered, access
 * that is denied is told at once: somebody has just submitted and is waiting.
 */
export const isFinalForPlan = (error: Error): boolean =>
  error instanceof UserError || error instanceof ObjectNotFound || error instanceof ZodError;
