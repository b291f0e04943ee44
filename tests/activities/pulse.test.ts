import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { earlierWork, Pulse, type RenderProgress } from '../../activities/pulse.ts';

let sent: RenderProgress[];
let pulse: Pulse;

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  pulse = new Pulse((progress) => sent.push(progress), earlierWork(undefined));
});

afterEach(() => {
  pulse.stop();
  vi.useRealTimers();
});

test('a task that waits for its turn beats seldom, and counts no computation', () => {
  vi.advanceTimersByTime(10_000);
  expect(sent).toHaveLength(4);
  expect(sent.at(-1)).toEqual({ computations: 0, stepsComputed: 0, step: 0, steps: 0 });
});

test('an image that is finished in a moment has no heartbeat', () => {
  pulse.begin(20, 0);
  for (let step = 1; step <= 20; step += 1) pulse.step(step);
  vi.advanceTimersByTime(400);
  pulse.stop();
  vi.advanceTimersByTime(10_000);
  expect(sent).toEqual([]);
});

test('one that takes longer beats twice a second, however long a step takes', () => {
  pulse.begin(20, 5);
  pulse.step(6);
  vi.advanceTimersByTime(2_000);
  expect(sent).toHaveLength(4);
  expect(sent.at(-1)).toEqual({ computations: 1, stepsComputed: 1, step: 6, steps: 20 });
});

test('an attempt that fails tells at once what it computed, on top of what earlier ones had', () => {
  const next = new Pulse((progress) => sent.push(progress), { computations: 2, stepsComputed: 30 });
  next.begin(20, 0);
  next.step(1);
  next.last();
  next.stop();
  expect(sent).toEqual([{ computations: 3, stepsComputed: 31, step: 1, steps: 20 }]);
});
