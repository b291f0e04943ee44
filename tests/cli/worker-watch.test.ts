import { expect, test, vi } from 'vitest';
import { openSizes, WorkerWatch, waitsForWorkers } from '../../cli/worker-watch.ts';
import type { WorkersSeen } from '../../client/workers-seen.ts';
import type { BatchProgress } from '../../workflows/contract.ts';

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
  bundle: 'icons',
};

test('a size waits where it has open jobs and no worker holds the bundle for it', () => {
  expect(waitsForWorkers(openSizes(progress), workers)).toEqual([
    'nobody renders 512 px with icons: start "npx pixart-batch worker --renderer --size 512 --bundle icons"',
  ]);
  expect(waitsForWorkers(openSizes(progress), null)).toEqual([]);
});

test('workers are looked for now and then, and no more once the batch needs none', async () => {
  const see = vi.fn(async () => workers);
  const watch = new WorkerWatch(see);
  expect(watch.seen(progress)).toBeNull();
  await Promise.resolve();
  expect(watch.seen(progress)).toBe(workers);
  expect(see).toHaveBeenCalledExactlyOnceWith(['256', '512', '1024']);
  expect(watch.seen({ ...progress, state: 'finishing' })).toBeNull();
  expect(see).toHaveBeenCalledOnce();
});

test('what cannot be found out is left out', async () => {
  const watch = new WorkerWatch(async () => Promise.reject(new Error('away')));
  watch.seen(progress);
  await Promise.resolve();
  await Promise.resolve();
  expect(watch.seen(progress)).toBeNull();
});
