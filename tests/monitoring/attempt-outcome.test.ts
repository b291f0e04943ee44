import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { failedOutcome } from '../../monitoring/attempt-outcome.ts';

const passing = ApplicationFailure.retryable('the renderer died', 'RendererDied');

test('an attempt that is followed by another is not a failed image', () => {
  expect(failedOutcome(passing)).toBe('retried');
});

test('an image has failed if its activity says that another attempt would not help', () => {
  expect(failedOutcome(ApplicationFailure.nonRetryable('another bundle', 'BundleMismatch'))).toBe('failed');
});

test('a cancelled image has not failed', () => {
  expect(failedOutcome(new CancelledFailure('stop'))).toBe('cancelled');
});
