import { beforeAll, expect, test } from 'vitest';
import { waitingText } from '../../../cli/display/waiting-text.ts';
import { withoutManifest } from '../../../cli/display/without-manifest.ts';
import type { Retrying } from '../../../client/index.ts';

const now = new Date('2026-01-31T04:00:00Z');

const trouble: Retrying = {
  activity: 'writeManifest',
  count: 1,
  attempts: 5,
  reason: 'store gs://b: status 503',
  waitsForStore: true,
  isPaused: false,
  since: new Date('2026-01-31T03:12:00Z'),
  givesUpAt: new Date('2026-02-01T03:12:00Z'),
};

beforeAll(() => {
  process.env.TZ = 'UTC';
});

test('a step that waits for the store shows since when, how many attempts, why, and when it gives up', () => {
  expect(waitingText(trouble, now)).toBe(
    'writing the manifest: waiting for the store since 03:12 UTC, 5 attempts so far: store gs://b: status 503; gives up at 2026-02-01 03:12 UTC',
  );
});

test('steps of several shards share a line, and steps that have not failed show no attempts', () => {
  const reading = { ...trouble, activity: 'readShard', count: 3, attempts: 0, reason: 'no\u001b[2Janswer' };
  expect(waitingText({ ...reading, since: null, givesUpAt: null }, now)).toBe(
    'reading the plan (3 times): waiting for the store: no\\u001b[2Janswer',
  );
});

test('images are counted, and failures unrelated to the store show as retries', () => {
  const images = { ...trouble, activity: 'renderImage', count: 2, attempts: 1, since: null, givesUpAt: null };
  expect(waitingText(images, now)).toBe('2 images waiting for the store, 1 attempt so far: store gs://b: status 503');
  const died = { ...images, count: 1, waitsForStore: false, reason: 'the renderer died' };
  expect(waitingText(died, now)).toBe('1 image being retried, 1 attempt so far: the renderer died');
  const paused = { ...died, isPaused: true, since: trouble.since, reason: 'by ann: look at it' };
  expect(waitingText(paused, now)).toBe(
    '1 image paused in Temporal (unpause there) since 03:12 UTC, 1 attempt so far: by ann: look at it',
  );
});

test('shards that Temporal has lost show since when, and the commands that help', () => {
  const lost = { ...trouble, activity: 'renderShard', count: 2, attempts: 0, waitsForStore: false, givesUpAt: null };
  expect(waitingText({ ...lost, reason: 'terminate it, then retry it' }, now)).toBe(
    '2 shards lost since 03:12 UTC: terminate it, then retry it',
  );
});

test('a batch without a manifest shows the command that writes one, if there is something to write', () => {
  const ended = { batch: 'night', round: 1, total: 24, withoutManifest: 'the store is away' };
  expect(withoutManifest(ended)).toEqual([
    'ended without a manifest: the store is away',
    '"npx pixart-batch retry night" writes it, and renders what is missing',
  ]);
  expect(withoutManifest({ ...ended, total: 0 }, 'it was told')).toEqual([
    'ended without a manifest',
    'nothing was planned: fix the problem and submit the catalog again',
  ]);
  expect(withoutManifest({ ...ended, total: 0, round: 2 })[1]).toContain('retry night');
  expect(withoutManifest({ ...ended, withoutManifest: null })).toEqual([]);
});
