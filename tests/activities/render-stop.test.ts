import { CancelledFailure } from '@temporalio/common';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RenderStop, WorkerStopping } from '../../activities/render-stop.ts';

let cancelled: AbortController;
let told: AbortController;
let over: AbortController;
let drain: AbortController;

beforeEach(() => {
  vi.useFakeTimers();
  cancelled = new AbortController();
  told = new AbortController();
  over = new AbortController();
  drain = new AbortController();
});

afterEach(() => void vi.useRealTimers());

const stopOf = (graceMs = 60_000, steps = 10): RenderStop =>
  new RenderStop({
    cancelled: cancelled.signal,
    worker: { signal: told.signal, graceMs, over: over.signal, drain: drain.signal },
    steps,
  });

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

test('an image that is still in hand at the end of the grace time is handed back', () => {
  const decoding = stopOf();
  decoding.begin();
  takeSteps(decoding, 1, 10);
  over.abort();
  expect(decoding.signal.reason).toBeInstanceOf(WorkerStopping);
});

test('a worker that drains hands back what waits for the device, and goes on with what has it or needs none', () => {
  const [waiting, begun, storing] = [stopOf(), stopOf(), stopOf(60_000, 0)];
  begun.begin();
  drain.abort();
  expect(waiting.signal.reason).toBeInstanceOf(WorkerStopping);
  expect(stopOf().signal.reason).toBeInstanceOf(WorkerStopping);
  vi.advanceTimersByTime(600_000);
  takeSteps(begun, 1, 9);
  expect(begun.signal.aborted).toBe(false);
  expect(storing.signal.aborted).toBe(false);
});

test('told to stop while it drains, a worker gives what it has begun the grace time', () => {
  const stop = stopOf(2_500);
  stop.begin();
  drain.abort();
  takeSteps(stop, 1, 4);
  expect(stop.signal.aborted).toBe(false);
  told.abort();
  takeSteps(stop, 5, 5);
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
