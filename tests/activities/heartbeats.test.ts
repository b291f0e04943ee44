import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AttemptCounts, countsFor } from '../../activities/attempts.ts';
import { earlierWork, Heartbeats, type RenderProgress } from '../../activities/heartbeats.ts';

const FIRST = countsFor(1, undefined);

let sent: RenderProgress[];
let heartbeats: Heartbeats;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  heartbeats = new Heartbeats((progress) => sent.push(progress), earlierWork(undefined), FIRST);
});

afterEach(() => {
  heartbeats.stop();
  vi.useRealTimers();
});

test('a task that waits for its turn beats seldom, and counts no computation', () => {
  vi.advanceTimersByTime(10_000);
  expect(sent).toHaveLength(4);
  expect(sent.at(-1)).toEqual({ computations: 0, stepsComputed: 0, step: 0, steps: 0, attempts: FIRST });
});

test('an image that is finished in a moment has no heartbeat', () => {
  heartbeats.begin(20, 0);
  for (let step = 1; step <= 20; step += 1) heartbeats.step(step);
  vi.advanceTimersByTime(400);
  heartbeats.stop();
  vi.advanceTimersByTime(10_000);
  expect(sent).toEqual([]);
});

test('one that takes longer beats twice a second, however long a step takes', () => {
  heartbeats.begin(20, 5);
  heartbeats.step(6);
  vi.advanceTimersByTime(2_000);
  expect(sent).toHaveLength(4);
  expect(sent.at(-1)).toEqual({ computations: 1, stepsComputed: 1, step: 6, steps: 20, attempts: FIRST });
});

test('a picture that waits for its store says so at once, seldom from then on, and no more when the attempt ends', () => {
  heartbeats.begin(20, 0);
  heartbeats.waitFor('the disk is full');
  const since = new Date().toISOString();
  const waiting = {
    computations: 1,
    stepsComputed: 0,
    step: 0,
    steps: 20,
    attempts: FIRST,
    waitsFor: 'the disk is full',
    waitsSince: since,
  };
  expect(sent).toEqual([waiting]);
  vi.advanceTimersByTime(10_000);
  heartbeats.waitFor('status 503');
  expect(sent.slice(1)).toEqual([waiting, waiting, { ...waiting, waitsFor: 'status 503' }]);
  heartbeats.end('interrupted');
  const attempts = { ...FIRST, isOver: true };
  expect(sent.at(-1)).toEqual({ computations: 1, stepsComputed: 0, step: 0, steps: 20, attempts });
});

test('what a workflow was told of earlier work counts as what a heartbeat told', () => {
  expect(earlierWork({ computations: 2, stepsComputed: 30 })).toEqual({ computations: 2, stepsComputed: 30 });
  expect(earlierWork({ computations: 1, step: 2, steps: 4 })).toEqual({ computations: 1, stepsComputed: 0 });
  expect(earlierWork('other words')).toEqual({ computations: 0, stepsComputed: 0 });
});

test('an attempt that fails tells at once that it did and what it computed, on top of what earlier ones had', () => {
  const work = { computations: 2, stepsComputed: 30 };
  const counts: AttemptCounts = { ...FIRST, attempt: 4, failed: 2, lost: 1 };
  const next = new Heartbeats((progress) => sent.push(progress), work, counts);
  next.begin(20, 0);
  next.step(1);
  next.end('failed');
  next.stop();
  const attempts = { ...counts, failed: 3, isOver: true };
  expect(sent).toEqual([{ computations: 3, stepsComputed: 31, step: 1, steps: 20, attempts }]);
});

test('an image is known to be made alone at once, and no longer once its attempt is over', () => {
  heartbeats.setAlone(true);
  expect(sent.at(-1)!.attempts).toEqual({ ...FIRST, isAlone: true });
  heartbeats.end('interrupted');
  expect(sent.at(-1)!.attempts).toEqual({ ...FIRST, isOver: true });
});

test('a renderer process that ended is charged to an image that had begun its steps, and to no other', () => {
  heartbeats.end('crashed');
  expect(sent.at(-1)!.attempts).toMatchObject({ failed: 1, hasCrashed: false });
  heartbeats.begin(20, 0);
  heartbeats.end('crashed');
  expect(sent.at(-1)!.attempts).toMatchObject({ failed: 2, hasCrashed: true });
});
