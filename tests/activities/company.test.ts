import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { countsFor } from '../../activities/attempts.ts';
import { Company } from '../../activities/company.ts';
import { Heartbeats } from '../../activities/heartbeats.ts';

let company: Company;
let story: string[];

beforeEach(() => {
  vi.useFakeTimers();
  company = new Company();
  story = [];
});

afterEach(() => void vi.useRealTimers());

const never = new AbortController().signal;

/** An image that takes a minute. Its lost attempts reported nothing, except that the last was alone if `wasAlone`. */
async function image(name: string, lost: number, signal = never, wasAlone = false): Promise<void> {
  const tell = vi.fn(({ attempts }) => story.push(`${name} is ${attempts.isAlone ? 'alone' : 'not alone'}`));
  const before = { ...countsFor(lost, undefined), isAlone: true };
  const counts = countsFor(lost + 1, wasAlone ? { attempts: before } : undefined);
  const heartbeats = new Heartbeats(tell, { computations: 0, stepsComputed: 0 }, counts);
  // Those on the timer are of no interest here.
  heartbeats.stop();
  const leave = await company.join(heartbeats, signal);
  story.push(`${name} begins`);
  await new Promise((resolve) => setTimeout(resolve, 60_000));
  story.push(`${name} ends`);
  leave();
}

test('images that were lost seldom are made together', async () => {
  const both = [image('one', 0), image('two', 2)];
  await vi.advanceTimersByTimeAsync(60_000);
  await Promise.all(both);
  expect(story).toEqual(['one begins', 'two begins', 'one ends', 'two ends']);
});

test('one that was lost often is made alone, before those that come later, and the server hears of both in time', async () => {
  const images = [image('one', 0), image('often lost', 3), image('late', 0)];
  await vi.advanceTimersByTimeAsync(60_000);
  expect(story.splice(0)).toEqual(['one begins', 'one ends', 'often lost is alone']);
  await vi.advanceTimersByTimeAsync(1_999);
  expect(story).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(story.splice(0)).toEqual(['often lost begins']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(story.splice(0)).toEqual(['often lost ends', 'often lost is not alone']);
  await vi.advanceTimersByTimeAsync(1_999);
  expect(story).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_001);
  await Promise.all(images);
  expect(story).toEqual(['late begins', 'late ends']);
});

test('one that was lost while it was alone goes after those that were lost with it, even if they arrive a little later', async () => {
  const reason = image('the reason', 4, never, true);
  await vi.advanceTimersByTimeAsync(4_000);
  const others = [image('one', 3), image('two', 3)];
  await vi.advanceTimersByTimeAsync(210_000);
  await Promise.all([reason, ...others]);
  expect(story.filter((line) => line.endsWith('begins'))).toEqual(['one begins', 'two begins', 'the reason begins']);
});

test('one that is cancelled before it is alone holds up nobody', async () => {
  const stop = new AbortController();
  const reason = new Error('cancelled by the test');
  const cancelled = image('often lost', 3, stop.signal);
  cancelled.catch(() => {});
  const next = image('next', 0);
  await vi.advanceTimersByTimeAsync(100);
  stop.abort(reason);
  await expect(cancelled).rejects.toBe(reason);
  await vi.advanceTimersByTimeAsync(62_000);
  await next;
  expect(story).not.toContain('often lost begins');
});
