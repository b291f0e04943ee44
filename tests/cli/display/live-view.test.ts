import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { liveView, rateText } from '../../../cli/display/live-view.ts';
import { clockText, timeLeftText, timeText, zoneHeading } from '../../../cli/display/text.ts';
import type { BatchProgress } from '../../../client/index.ts';

const progress: BatchProgress = {
  batch: 'night',
  round: 1,
  state: 'rendering',
  totals: { jobs: 500, rendered: 60, reused: 30, failed: 10, cancelled: 0, extraComputations: 0 },
  bySize: {
    '4k': { jobs: 100, rendered: 0, reused: 0, failed: 0 },
    '256': { jobs: 400, rendered: 60, reused: 30, failed: 10 },
  },
  recentFailures: [],
};

const around = {
  perSecond: 2,
  secondsLeft: 5_400,
  now: new Date('2026-01-31T01:00:00Z'),
  workers: {
    orchestrators: 1,
    renderers: [
      { size: '256' as const, workers: 3 },
      { size: '4k' as const, workers: 0 },
    ],
    bundle: { name: 'icons', digest: '0123456789abcdef' },
    store: 'gs://bucket/images',
  },
  silence: null,
};

beforeAll(() => {
  process.env.TZ = 'UTC';
});

test('shows a headline, a bar per size, the workers, and sizes that no worker polls for', () => {
  expect(liveView(progress, around)).toEqual([
    'night  rendering  100 of 500 images  120 a minute  ends about 02:30 UTC, in 1 h 30 min',
    '   256 px ███████░░░░░░░░░░░░░░░░░░░░░░░ 100/400  60 rendered, 30 reused, 10 failed',
    '    4k px ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   0/100  none yet',
    '  workers  orchestrators 1  renderers 256 px 3, 4k px 0',
    '  no worker is polling for 4k px jobs of bundle icons 0123456789ab; start one:',
    '    npx pixart-batch worker --renderer --size 4k --bundle icons',
  ]);
});

test('failures come last, and nothing in their text moves the cursor', () => {
  const failed = { ...progress, recentFailures: [{ id: 'fox', reason: 'no memory\n\x1b[2Jat all' }] };
  expect(liveView(failed, around).slice(-2)).toEqual(['  last failures', '    fox: no memory \\u001b[2Jat all']);
});

test('a few images in hand are shown with their steps', () => {
  const inHand = Array.from({ length: 8 }, (_, index) => ({ id: `fox-${index}`, step: index, steps: 20 }));
  expect(liveView({ ...progress, inHand }, { ...around, workers: null }).at(-1)).toBe(
    '  in hand: fox-0, step 0 of 20; fox-1, step 1 of 20; fox-2, step 2 of 20; fox-3, step 3 of 20; fox-4, step 4 of 20; fox-5, step 5 of 20; … and 2 more',
  );
});

test('while nobody answers it says so, and shows neither pace nor end', () => {
  expect(liveView(progress, { ...around, workers: null, silence: 'the server does not answer' })).toEqual([
    'night  rendering  100 of 500 images',
    expect.stringContaining('256 px'),
    expect.stringContaining('4k px'),
    '  the server does not answer',
  ]);
});

test('a paused batch that is cancelled shows as stopping, not as paused', () => {
  const lines = liveView({ ...progress, state: 'stopping', paused: 'a person paused it' }, around);
  expect(lines[0]).toBe('night  stopping  100 of 500 images');
  expect(lines.join()).not.toContain('paused');
});

test('unknown values are left out', () => {
  const lines = liveView(progress, { ...around, perSecond: null, secondsLeft: null, workers: null });
  expect(lines[0]).toBe('night  rendering  100 of 500 images');
  expect(lines).toHaveLength(3);
});

test('an ended batch shows how many failed, but neither pace nor workers', () => {
  expect(liveView({ ...progress, state: 'completed' }, around)[0]).toBe(
    'night  completed, 10 failed  100 of 500 images',
  );
  expect(liveView({ ...progress, state: 'completed' }, around)).toHaveLength(3);
});

test.each([
  [25, '25 a second'],
  [2, '120 a minute'],
  [0.05, '3.0 a minute'],
  [0.001, '3.6 an hour'],
])('%d images a second are "%s"', (perSecond, text) => {
  expect(rateText(perSecond)).toBe(text);
});

test.each([
  [0.2, '1 s'],
  [59, '59 s'],
  [59.9, '1 min'],
  [3_570, '1 h 00 min'],
  [11_100, '3 h 05 min'],
])('%d seconds are "%s"', (seconds, text) => {
  expect(timeLeftText(seconds)).toBe(text);
});

describe('times', () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  test.each([
    ['UTC', '2026-02-01 00:30 UTC', '2026-02-01 00:30:00', 'started (UTC)'],
    ['Europe/Berlin', '01:30', '2026-02-01 01:30:00', 'started (Europe/Berlin)'],
    ['America/New_York', '19:30', '2026-01-31 19:30:00', 'started (America/New_York)'],
  ])("are in the viewer's zone, in %s with the day if it differs there", (viewer, clock, time, heading) => {
    process.env.TZ = viewer;
    const now = new Date('2026-01-31T23:30:00Z');
    expect(clockText(now, 3_600)).toBe(clock);
    expect(timeText(new Date(+now + 3_600_000))).toBe(time);
    expect(zoneHeading('started')).toBe(heading);
  });
});
