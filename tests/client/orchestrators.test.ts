import { expect, test } from 'vitest';
import { lackOfCurrent, type OrchestratorsSeen, servingBatch, whyPassedOver } from '../../client/orchestrators.ts';
import type { Description } from '../../client/pending-work.ts';

const old = { deploymentName: 'studio', buildId: 'old' };
const young = { deploymentName: 'studio', buildId: 'young' };

const seen = (more: Partial<OrchestratorsSeen>): OrchestratorsSeen => ({
  current: null,
  ramping: null,
  asking: [],
  ...more,
});

const asks = (identity: string, version: typeof old | null) => ({ identity, version });

/** A batch as the server describes it: pinned (1), or not versioned yet. */
const batch = (versioningInfo: object | null): Description['raw'] =>
  ({ workflowExecutionInfo: { versioningInfo } }) as Description['raw'];

const begun = batch({ behavior: 1, deploymentVersion: old });
const waiting = batch(null);

test('a batch that has begun is served only by its own version, whichever is current', () => {
  const asking = [asks('a', old), asks('b', old), asks('c', young), asks('d', null)];
  expect(servingBatch(begun, seen({ current: young, asking }))).toEqual({ versions: [old], orchestrators: 2 });
});

test('a batch that has not begun is served by the current and the ramping version, or by unversioned orchestrators', () => {
  const asking = [asks('a', old), asks('c', young), asks('d', null)];
  const ramping = { version: young, percentage: 10 };
  expect(servingBatch(waiting, seen({ current: old, ramping, asking })).orchestrators).toBe(2);
  expect(servingBatch(waiting, seen({ asking })).versions).toEqual([null]);
});

test('a batch that was moved is served by the version it was moved to', () => {
  const moved = batch({ behavior: 1, deploymentVersion: old, versioningOverride: { pinned: { version: young } } });
  expect(servingBatch(moved, seen({ asking: [asks('c', young)] }))).toEqual({ versions: [young], orchestrators: 1 });
});

test('says why nobody serves a batch if orchestrators are polling but none can', () => {
  expect(whyPassedOver(begun, seen({}))).toBeNull();
  expect(whyPassedOver(begun, seen({ asking: [asks('a', old)] }))).toBeNull();
  expect(whyPassedOver(begun, seen({ asking: [asks('c', young)] }))).toMatch(
    /belongs to workflow version studio old.*Start one/,
  );
  expect(whyPassedOver(waiting, seen({ current: old, asking: [asks('c', young)] }))).toMatch(/version studio old/);
});

test('if no version is current, the commands name the existing ones, each once', () => {
  const asking = [asks('a', old), asks('b', old), asks('c', young)];
  const told = lackOfCurrent(seen({ asking }))!;
  expect(told.match(/set-current-version/g)).toHaveLength(2);
  expect(told).toContain('--deployment-name studio --build-id young');
  expect(lackOfCurrent(seen({ asking: [...asking, asks('d', null)] }))).toBeNull();
  expect(lackOfCurrent(seen({ current: old, asking }))).toBeNull();
  expect(lackOfCurrent(seen({}))).toBeNull();
});

test('a current version is not needed while a polling version is ramping', () => {
  const asking = [asks('a', old), asks('c', young)];
  const ramping = { version: young, percentage: 100 };
  expect(lackOfCurrent(seen({ ramping, asking }))).toBeNull();
  expect(whyPassedOver(waiting, seen({ ramping, asking }))).toBeNull();
  for (const asleep of [
    { version: { ...old, buildId: 'other' }, percentage: 5 },
    { version: null, percentage: 5 },
  ]) {
    expect(lackOfCurrent(seen({ ramping: asleep, asking }))).toMatch(/Make one current/);
  }
});
