import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { ridOfSecrets } from '../domain/secrets.ts';

/**
 * An activity's failure and its causes go into Temporal's history, the worker's log, and from there into receipts and
 * manifests: this removes keys and tokens from them, whatever library put them in. Outermost of a worker's
 * interceptors.
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
