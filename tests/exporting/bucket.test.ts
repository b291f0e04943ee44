import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { exportBatch } from '../../client/index.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { openStore } from '../../store/index.ts';
import { drawnBatch } from './drawn-batch.ts';
import { picture } from './places.ts';

let emulator: BucketEmulator;
beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('pixart-export');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
});

test('a batch in a bucket is exported to another place in it, and only changes are written the next time', async () => {
  const store = await openStore('gs://pixart-export/images');
  await drawnBatch(store, 'spring', [await picture('fox', '#ff8020'), await picture('owl', '#804020')]);
  const request = { store: store.url, to: 'gs://pixart-export/game', all: true, sides: [64] };
  expect(await exportBatch('spring', request)).toMatchObject({ written: ['fox.png', 'owl.png'] });
  expect(await exportBatch('spring', request)).toMatchObject({ written: [], unchanged: ['fox.png', 'owl.png'] });
  const game = await openStore('gs://pixart-export/game');
  await game.replace('owl.png', Buffer.from('retouched'), 'image/png');
  const done = await exportBatch('spring', { ...request, sides: [32] });
  expect(done).toMatchObject({ written: ['fox.png'], kept: ['owl.png'] });
  expect(Buffer.from(await game.read('owl.png')).toString()).toBe('retouched');
});
