import { readFileSync } from 'node:fs';
import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import { billedActions, sumOf, totalOf } from '../../benchmarks/actions/billed-actions.ts';

const { History } = proto.temporal.api.history.v1;

const historyOf = (name: string) =>
  History.fromObject(JSON.parse(readFileSync(new URL(`../histories/${name}.json`, import.meta.url), 'utf8'))).events;

test("a batch's history bills its start, each child twice, and every attempt, signal and marker", () => {
  expect(billedActions(historyOf('batch-completed.v3'))).toEqual({
    'workflows started': 1,
    'child workflows (2 each)': 6,
    'activity attempts': 3,
    'search attributes': 7,
    signals: 1,
    markers: 1,
  });
});

test("a shard's start is billed to its batch, and markers of one workflow task count as one", () => {
  const events = historyOf('shard-encoded-ahead.v6');
  expect(events.filter(({ markerRecordedEventAttributes }) => markerRecordedEventAttributes).length).toBeGreaterThan(3);
  expect(billedActions(events)).toEqual({ 'activity attempts': 10, timers: 1, markers: 3 });
});

test('an activity counts once for each attempt, and the search attribute that patches set does not count', () => {
  const indexedFields = { TemporalChangeVersion: {} };
  const events = [
    { activityTaskStartedEventAttributes: { attempt: 3 } },
    { upsertWorkflowSearchAttributesEventAttributes: { searchAttributes: { indexedFields } } },
  ];
  expect(totalOf(sumOf([billedActions(events), billedActions(events)]))).toBe(6);
});
