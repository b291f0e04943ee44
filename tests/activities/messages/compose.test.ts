import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { compose } from '../../../activities/messages/compose.ts';
import { UserError } from '../../../domain/user-error.ts';
import { StoreUnavailable } from '../../../store/index.ts';
import { storeLinks } from '../../../workers/store-links.ts';
import type { BatchEvent } from '../../../workflows/contract/webhook.ts';

const totals = { jobs: 3, rendered: 1, reused: 1, failed: 1, cancelled: 0, extraComputations: 0 };
const data = { batch: 'night', round: 1, store: 'gs://studio/images', totals };
const event: BatchEvent = {
  type: 'batch.completed',
  timestamp: '2026-11-30T06:00:00.000Z',
  data: { ...data, manifest: 'batches/night/manifest-1.json', contactSheet: 'batches/night/contact-sheet.webp' },
};

const message = (told: BatchEvent, error: Error, isPatient: boolean, links = '') =>
  compose(
    told,
    { openStore: () => Promise.reject(error), links: storeLinks(links), costPerHour: undefined },
    // Nobody asks the server where there is no schedule.
    { picture: 'public', client: {} as Client, isPatient },
  );

test('a store that is away is waited for at first; then the message goes without what it has', async () => {
  const away = new StoreUnavailable('the store is away');
  await expect(message(event, away, true)).rejects.toBe(away);
  expect(await message(event, away, false)).toMatchObject({
    title: 'Batch night completed, 1 failed',
    facts: [
      { label: 'Pictures', value: '2 of 3, 1 of them reused' },
      { label: 'Failed', value: '1' },
      { label: 'Store', value: 'gs://studio/images' },
    ],
    picture: null,
    notes: ['Nothing was read from the store: the store is away'],
  });
});

test('a store that may not be opened keeps no message', async () => {
  const { notes } = await message(event, new UserError('another place'), true);
  expect(notes).toEqual(['Nothing was read from the store: another place']);
});

test('a bucket is linked to for those who have signed in, and to its public address where it has one', async () => {
  const away = new StoreUnavailable('away');
  expect((await message(event, away, false)).links).toEqual([
    { label: 'Contact sheet', url: 'https://storage.cloud.google.com/studio/images/batches/night/contact-sheet.webp' },
    { label: 'Table', url: 'https://storage.cloud.google.com/studio/images/batches/night/manifest-1.csv' },
    { label: 'Folder', url: 'https://console.cloud.google.com/storage/browser/studio/images/batches/night' },
  ]);
  const { links } = await message(event, away, false, 'gs://studio/images=https://images.studio.example');
  expect(links.map(({ url }) => url)).toEqual([
    'https://images.studio.example/batches/night/contact-sheet.html',
    'https://images.studio.example/batches/night/contact-sheet.webp',
    'https://images.studio.example/batches/night/manifest-1.csv',
  ]);
  const folder = { ...event, data: { ...event.data, store: 'file:///srv/out' } };
  expect((await message(folder, away, false)).links).toEqual([]);
});

test('what paused, failed or was stopped says so, with the reason', async () => {
  const away = new StoreUnavailable('away');
  const told = (type: BatchEvent['type'], more = {}) =>
    message({ ...event, type, data: { ...data, reason: 'because', ...more } }, away, false);
  expect(await told('batch.paused')).toMatchObject({ title: 'Batch night paused itself', reason: 'because' });
  expect(await told('batch.failed')).toMatchObject({ title: 'Batch night failed', reason: 'because' });
  expect(await told('batch.failed', { refused: true })).toMatchObject({ title: 'Batch night was refused' });
  expect(await told('batch.cancelled', { round: 2 })).toMatchObject({ title: 'Batch night (round 2) was cancelled' });
  const totals = { jobs: 6, rendered: 4, reused: 2, failed: 0, cancelled: 0, extraComputations: 0 };
  expect(await told('batch.cancelled', { totals })).toMatchObject({
    title: 'Batch night was cancelled after all its images were made',
  });
  expect(await told('batch.cancelled', { totals: { ...totals, rendered: 3, cancelled: 1 } })).toMatchObject({
    title: 'Batch night was cancelled',
  });
});
