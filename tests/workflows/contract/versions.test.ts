import { expect, test } from 'vitest';
import { pollerVersion, routingOf } from '../../../workflows/contract/versions.ts';

const old = { deploymentName: 'studio', buildId: 'old' };
const young = { deploymentName: 'studio', buildId: 'young' };

test('without a current version, batches go to unversioned workers', () => {
  const none = { current: null, ramping: null };
  expect(routingOf(undefined)).toEqual(none);
  expect(routingOf({ rampingVersionPercentage: 0, rampingDeploymentVersion: young })).toEqual(none);
});

test('a share may go to another version, or to unversioned workers', () => {
  const told = { currentDeploymentVersion: old, rampingVersionPercentage: 25 };
  expect(routingOf({ ...told, rampingDeploymentVersion: young }).ramping).toEqual({ version: young, percentage: 25 });
  expect(routingOf(told)).toEqual({ current: old, ramping: { version: null, percentage: 25 } });
});

test('a worker that names its build but does not use versioning has no version', () => {
  expect(pollerVersion({ deploymentOptions: { ...old, workerVersioningMode: 1 } })).toBeNull();
  expect(pollerVersion({ deploymentOptions: { ...old, workerVersioningMode: 2 } })).toEqual(old);
  expect(pollerVersion({})).toBeNull();
});
