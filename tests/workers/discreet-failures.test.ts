import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { discreetFailures } from '../../workers/discreet-failures.ts';

test('an activity fails with its own error, without the tokens that libraries put into it and its causes', async () => {
  const token = 'ya29.a0AfB_SECRET';
  const cause = new Error(`GET https://storage.googleapis.com/b?upload_id=SECRET: Bearer ${token}`);
  const failure = ApplicationFailure.create({ message: `could not write: ${cause.message}`, type: 'Store', cause });
  const { inbound } = discreetFailures({} as Context);
  const failed = inbound!.execute!({ args: [], headers: {} }, () => Promise.reject(failure));
  const thrown = (await failed.catch((error) => error)) as ApplicationFailure;
  expect(thrown).toBe(failure);
  for (const error of [thrown, thrown.cause as Error])
    expect(`${error.message} ${error.stack}`).not.toContain('SECRET');
  expect(thrown).toMatchObject({ type: 'Store', nonRetryable: false });
});
