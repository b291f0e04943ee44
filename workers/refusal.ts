import { UserError } from '../domain/user-error.ts';

/** It tells nothing of what is there or is allowed: whoever may start batches reads it. */
export const refusal = (what: string, url: string, found = 'another'): UserError =>
  new UserError(
    `${what} ${url}: expected a place that the workers were started for, found ${found}. Whoever runs them allows it with --allow ${url} ` +
      '(or PIXART_ALLOW), of "worker" on all machines or of "dev"',
  );
