import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ridOfSecrets } from '../domain/secrets.ts';

/**
 * What an activity fails with, and what caused it, goes into Temporal's history, into the worker's log and from there into receipts and
 * manifests: this takes keys and tokens out, whatever library put them in. Outermost of a worker's interceptors.
 */
export const discreetFailures: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        throw ridOfSecrets(error);
      }
    },
  },
});
