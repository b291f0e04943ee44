import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { failedOutcome } from '../../monitoring/attempt-outcome.ts';
import { RENDER_ATTEMPTS } from '../../workflows/contract/limits.ts';

const passing = ApplicationFailure.retryable('the renderer died', 'RendererDied');

test('an attempt that another follows is no failed image', () => {
  expect(failedOutcome(passing, 1)).toBe('retried');
  expect(failedOutcome(passing, RENDER_ATTEMPTS - 1)).toBe('retried');
});

test('an image has failed after the last attempt, or where no other would help', () => {
  expect(failedOutcome(passing, RENDER_ATTEMPTS)).toBe('failed');
  expect(failedOutcome(ApplicationFailure.nonRetryable('another bundle', 'BundleMismatch'), 1)).toBe('failed');
});

test('a cancelled image has not failed', () => {
  expect(failedOutcome(new CancelledFailure('stop'), RENDER_ATTEMPTS)).toBe('cancelled');
});
