import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { askForWorkers, lackOfWorkers, openSizes, WorkerWatch } from '../../../cli/display/worker-watch.ts';
import type { WorkersSeen } from '../../../client/index.ts';
import type { BatchProgress } from '../../../workflows/contract/progress.ts';

const progress: BatchProgress = {
  batch: 'night',
  round: 1,
  state: 'rendering',
  totals: { jobs: 30, rendered: 10, reused: 0, failed: 0, cancelled: 0, extraComputations: 0 },
  bySize: {
    '256': { jobs: 10, rendered: 9, reused: 0, failed: 1 },
    '512': { jobs: 10, rendered: 0, reused: 0, failed: 0 },
    '1024': { jobs: 10, rendered: 0, reused: 0, failed: 0 },
  },
  recentFailures: [],
};

const workers: WorkersSeen = {
  orchestrators: 1,
  renderers: [
    { size: '256', workers: 0 },
    { size: '512', workers: 0 },
    { size: '1024', workers: 2 },
  ],
  bundle: { name: 'icons', digest: '0123456789abcdef' },
  store: 'gs://bucket/images',
};

test('reports sizes with open jobs that no worker of the bundle polls for, in lines that fit a terminal', () => {
  expect(lackOfWorkers(openSizes(progress), workers)).toEqual([
    'no worker is polling for 512 px jobs of bundle icons 0123456789ab; start one:',
    '  npx pixart-batch worker --renderer --size 512 --bundle icons',
  ]);
  expect(lackOfWorkers(openSizes(progress), null)).toEqual([]);
  expect(openSizes({ ...progress, state: 'paused' })).toEqual([]);
});

test('workers are looked up at intervals, until the batch needs none', async () => {
  const see = vi.fn(async () => workers);
  const watch = new WorkerWatch(see);
  expect(watch.seen(progress)).toBeNull();
  await setImmediate();
  expect(watch.seen(progress)).toBe(workers);
  expect(see).toHaveBeenCalledExactlyOnceWith(['256', '512', '1024']);
  expect(watch.seen({ ...progress, state: 'finishing' })).toBeNull();
  expect(see).toHaveBeenCalledOnce();
});

test('workers that cannot be looked up are left out', async () => {
  const watch = new WorkerWatch(async () => Promise.reject(new Error('away')));
  watch.seen(progress);
  await setImmediate();
  expect(watch.seen(progress)).toBeNull();
  expect(await askForWorkers(['512'], () => Promise.reject(new Error('away')))).toEqual([]);
});
