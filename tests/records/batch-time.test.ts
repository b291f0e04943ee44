import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { batchTime } from '../../records/batch-time.ts';
import { roundName } from '../../records/layout.ts';
import { type ManifestRow, manifestRow } from '../../records/manifest-table.ts';
import type { Rates } from '../../records/rates.ts';
import { keepRound, plannedRates, type RoundSettings, roundsOf } from '../../records/rounds.ts';
import { openStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';

const digest = 'd'.repeat(64);

const rates: Rates = { format: 2, bundle: digest, sizes: { '256': { 'GPU A': { images: 8, secondsPerStep: 0.5 } } } };

const row = (status: ManifestRow['status'], seconds = 0): ManifestRow => ({
  ...manifestRow(sampleJob, undefined),
  ...{ status, steps: 20, device_ms: 1_000 * seconds },
});

test('device time covers rendered images; planned time covers all that were missing', () => {
  const rows = [row('rendered', 12), row('rendered', 9), row('reused', 99), row('failed'), row('cancelled')];
  expect(batchTime(rows, rates)).toEqual({ deviceSeconds: 21, plannedSeconds: 40 });
});

test('without rates at planning time there is no planned time', () => {
  expect(batchTime([row('rendered', 12)], null)).toEqual({ deviceSeconds: 12, plannedSeconds: null });
});

const settings: RoundSettings = {
  bundle: { name: 'tiny', digest, sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
  defaults: { size: '256', format: 'png', quality: null },
  window: 7,
};

test('rates are recorded with the first round, whatever is measured later, and a record of another version is ignored', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-planned-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = await openStore(pathToFileURL(folder).href);
  expect(await plannedRates(store, 'night')).toBeNull();
  await keepRound(store, { batch: 'night', round: 1, settings, hasWebhook: false, rates });
  await keepRound(store, { batch: 'night', round: 2, settings, hasWebhook: false });
  expect(await plannedRates(store, 'night')).toEqual(rates);
  const noted = JSON.parse(Buffer.from(await store.read(roundName('night', 1))).toString());
  const later = Buffer.from(JSON.stringify({ ...noted, rates: { format: 3 } }));
  await store.create(roundName('later', 1), later, 'application/json');
  expect(await plannedRates(store, 'later')).toBeNull();
  expect((await roundsOf(store, 'later')).record).toMatchObject({ settings });
});
