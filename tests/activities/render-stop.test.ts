import { CancelledFailure } from '@temporalio/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RenderStop, RenderTooLong, WorkerStopping } from '../../activities/render-stop.ts';

let cancelled: AbortController;
let told: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  cancelled = new AbortController();
  told = new AbortController();
});

afterEach(() => void vi.useRealTimers());

const stopOf = (graceMs = 60_000): RenderStop =>
  new RenderStop({ cancelled: cancelled.signal, worker: { signal: told.signal, graceMs }, steps: 10, hours: 1 });

/** Steps of a second each. */
function takeSteps(stop: RenderStop, from: number, to: number): void {
  for (let step = from; step <= to; step += 1) {
    vi.advanceTimersByTime(1_000);
    stop.step(step);
  }
}

test('an image that nobody waits for stops with what Temporal says, and its state is not wanted', () => {
  const stop = stopOf();
  expect(stop.isStateWanted).toBe(true);
  const reason = new CancelledFailure('CANCELLED');
  cancelled.abort(reason);
  expect(stop.signal.reason).toBe(reason);
  expect(stop.isStateWanted).toBe(false);
});

test('what Temporal cancels because the worker ends is handed back', () => {
  const stop = stopOf();
  cancelled.abort(new CancelledFailure('WORKER_SHUTDOWN'));
  expect(stop.signal.reason).toBeInstanceOf(WorkerStopping);
  expect(stop.isStateWanted).toBe(true);
});

test('the wait for the device is no part of the time that an image may have it', () => {
  const stop = stopOf();
  vi.advanceTimersByTime(5 * 3_600_000);
  stop.begin();
  vi.advanceTimersByTime(3_599_999);
  expect(stop.signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(stop.signal.reason).toBeInstanceOf(RenderTooLong);
  expect(stop.isStateWanted).toBe(false);
});

test('a worker that is told to stop hands back at once what still waits for the device, also where it was told before', () => {
  const waiting = stopOf();
  told.abort();
  for (const stop of [waiting, stopOf()]) expect(stop.signal.reason).toBeInstanceOf(WorkerStopping);
});

test('told to stop, an image goes on as long as its steps fit into the grace time at their pace', () => {
  const stop = stopOf(6_500);
  stop.begin();
  takeSteps(stop, 1, 4);
  told.abort();
  takeSteps(stop, 5, 6);
  expect(stop.signal.aborted).toBe(false);
  vi.advanceTimersByTime(3_000);
  takeSteps(stop, 7, 7);
  expect(stop.signal.reason).toBeInstanceOf(WorkerStopping);
});

test('a step that goes on beyond the grace time is left five seconds later, unless the image has come to its end', async () => {
  const [hangs, ended] = [stopOf(1_000), stopOf(1_000)];
  const left = vi.fn();
  const never = vi.fn();
  hangs.leave.catch(left);
  ended.leave.catch(never);
  for (const stop of [hangs, ended]) stop.begin();
  told.abort();
  ended.end();
  await vi.advanceTimersByTimeAsync(5_999);
  expect(left).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(left).toHaveBeenCalledWith(expect.any(WorkerStopping));
  expect(never).not.toHaveBeenCalled();
});

test('the first reason is the one that counts', () => {
  const stop = stopOf();
  const reason = new CancelledFailure('CANCELLED');
  cancelled.abort(reason);
  told.abort();
  expect(stop.signal.reason).toBe(reason);
});
