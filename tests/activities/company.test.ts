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

/** An image that takes a minute, after so many attempts of which nothing was heard. */
async function image(name: string, lost: number, signal = never): Promise<void> {
  const tell = vi.fn(({ attempts }) => story.push(`${name} is ${attempts.isAlone ? 'alone' : 'not alone'}`));
  const heartbeats = new Heartbeats(tell, { computations: 0, stepsComputed: 0 }, countsFor(lost + 1, undefined));
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
