import { CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { type AttemptCounts, countsFor } from '../../activities/attempts.ts';
import { attemptEnd, BundleMismatch, renderFailure } from '../../activities/render-failure.ts';
import { WorkerStopping } from '../../activities/render-stop.ts';
import { UserError } from '../../domain/user-error.ts';
import {
  RendererBug,
  RendererDied,
  RendererUnusable,
  RenderFault,
  RenderTooLong,
} from '../../models/renderer/index.ts';
import { DamagedRecord } from '../../records/damaged.ts';
import { ObjectNotFound, StoreDenied, StoreUnavailable } from '../../store/index.ts';

const after = (counts: Partial<AttemptCounts>) => ({
  computations: 0,
  stepsComputed: 0,
  attempts: { ...countsFor(1, undefined), failed: 1, isOver: true, ...counts },
});

test.each([
  new RendererDied('killed'),
  new RenderFault('the device reports a fault'),
  new RenderTooLong(3_600_000),
  new RendererUnusable(new Error('no device')),
  new WorkerStopping(),
  new StoreUnavailable('503'),
  new StoreDenied('no token'),
  new ObjectNotFound('the object was removed before it was copied'),
  new DamagedRecord('a line of the plan is damaged'),
])('an image is tried again where its failure may pass: $constructor.name', (error) => {
  const { name } = error.constructor;
  expect(renderFailure(error, after({ attempt: 2 }))).toMatchObject({
    type: name,
    nonRetryable: false,
    details: [{ attempts: 2 }],
  });
});

test.each([
  [new TypeError('x is not a function'), 'TypeError', 'unexpected TypeError: x is not a function'],
  [new Error('an encoder said no'), 'Error', 'unexpected Error: an encoder said no'],
  [new RendererBug('unexpected TypeError: y'), 'RendererBug', 'unexpected TypeError: y'],
  [new UserError('a size that it does not serve'), 'UserError', 'a size that it does not serve'],
  [new BundleMismatch('a', { name: 'icons', digest: 'b' }), 'BundleMismatch', expect.stringContaining('found b')],
])('an image is computed no second time where it would fail again: %s', (error, type, message) => {
  expect(renderFailure(error, after({}))).toMatchObject({
    type,
    message,
    nonRetryable: true,
    details: [{ attempts: 1 }],
  });
});

test('an image that was cancelled is neither', () => {
  const cancelled = new CancelledFailure('cancelled');
  expect(renderFailure(cancelled, after({}))).toBe(cancelled);
});

test('one that was computed before it was cancelled says how often', () => {
  const work = { computations: 2, stepsComputed: 30 };
  expect(renderFailure(new CancelledFailure('cancelled'), { ...after({}), ...work })).toMatchObject({
    message: 'cancelled',
    details: [work],
  });
});

test('the seventh failure is the last, whatever the server has counted', () => {
  const error = new StoreUnavailable('503');
  expect(renderFailure(error, after({ attempt: 15, failed: 6 }))).toMatchObject({ nonRetryable: false });
  const last = { type: 'StoreUnavailable', message: '503', nonRetryable: true, details: [{ attempts: 16 }] };
  expect(renderFailure(error, after({ attempt: 16, failed: 7 }))).toMatchObject(last);
});

test('what a person or a worker’s end does to an attempt is no failure of its image', () => {
  const cancelled = new CancelledFailure('cancelled');
  expect(attemptEnd(new StoreUnavailable('503'))).toBe('failed');
  expect(attemptEnd(new WorkerStopping())).toBe('interrupted');
  expect(attemptEnd(new RendererUnusable(new Error('no device')))).toBe('interrupted');
  expect(attemptEnd(cancelled, { paused: true })).toBe('interrupted');
  expect(attemptEnd(cancelled, { reset: true })).toBe('reset');
  // One that failed by itself while somebody paused it.
  expect(attemptEnd(new StoreUnavailable('503'), { paused: true })).toBe('failed');
});

test('an image that fails with its renderer process is known by it', () => {
  for (const error of [new RendererDied('killed'), new RenderTooLong(3_600_000), new RenderFault('driver')])
    expect(attemptEnd(error, { paused: true })).toBe('crashed');
});
