import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { ZodError } from 'zod';
import { UserError } from '../catalog/user-error.ts';
import { ObjectNotFound } from '../store/index.ts';

const HEARTBEAT_MS = 5_000;

/**
 * What every activity of the orchestrator has in common: it beats by the clock, so that a worker that died is noticed
 * within its heartbeat timeout, and what another attempt would find just the same is not tried again.
 */
export function orchestratorActivity<I, R>(activity: (input: I) => Promise<R>): (input: I) => Promise<R> {
  return async (input) => {
    const context = Context.current();
    const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
    try {
      return await activity(input);
    } catch (error) {
      throw isFinal(error) ? ApplicationFailure.fromError(error, { type: error.name, nonRetryable: true }) : error;
    } finally {
      clearInterval(timer);
    }
  };
}

/** A person has to act, or what the batch wrote earlier is missing or not what we write. */
const isFinal = (error: unknown): error is Error =>
  error instanceof UserError || error instanceof ObjectNotFound || error instanceof ZodError;
