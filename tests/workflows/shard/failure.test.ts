import { ActivityFailure, ApplicationFailure, RetryState } from '@temporalio/common';
import { expect, test } from 'vitest';
import { MAX_SHARD_JOBS } from '../../../catalog/shards.ts';
import { failureOf } from '../../../workflows/shard/failure.ts';

test('a failure has the type, reason and attempts of what the activity threw', () => {
  const cause = ApplicationFailure.create({ type: 'UserError', message: 'no such size', details: [{ attempts: 3 }] });
  expect(failureOf('fox', cause)).toEqual({ id: 'fox', type: 'UserError', reason: 'no such size', attempts: 3 });
});

test.each([
  ['renderImage', 1_000],
  ['encodeCaptions', 7],
])('where the server gave up %s, its limit is how often that was tried', (activity, attempts) => {
  const cause = ApplicationFailure.create({ type: 'StoreUnavailable', message: 'away' });
  const state = RetryState.MAXIMUM_ATTEMPTS_REACHED;
  const error = new ActivityFailure('failed', activity, '7', state, 'worker', cause);
  expect(failureOf('fox', error)).toMatchObject({ type: 'StoreUnavailable', reason: 'away', attempts });
});

test('the failures of a whole shard fit into one payload, however long the messages are', () => {
  const fault = new Error('Non-zero status code returned while running Conv node. '.repeat(1_000));
  const failures = Array.from({ length: MAX_SHARD_JOBS }, () => failureOf('x'.repeat(128), fault));
  expect(Buffer.byteLength(JSON.stringify(failures))).toBeLessThan(2_000_000);
  expect(failures[0]!.reason).toMatch(/^Non-zero status .*…$/);
});
