import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createWriteReviewPage } from '../../activities/write-review-page.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { contactSheetPageName } from '../../records/layout.ts';
import { openStore } from '../../store/index.ts';
import { testBrowser } from './browser.ts';
import { samplePictures, writeSampleBatch } from './sample-batch.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 400_000 });

const browser = await testBrowser();

let emulator: BucketEmulator;

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('team');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await browser?.close();
  await emulator?.stop();
});

test.skipIf(browser === null)('the page shows thumbnails and images when a bucket serves it', async () => {
  const store = await openStore('gs://team/reviewed');
  const rows = Array.from({ length: 60 }, () => ({ job: { width: 96, height: 96 } }));
  await writeSampleBatch(store, 'night', rows, await samplePictures(7, 96));
  await createWriteReviewPage(openStore)({ store: store.url, batch: 'night' });

  const page = await browser!.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => problems.push(message.text()));
  await page.goto(`${emulator.endpoint}/team/reviewed/${contactSheetPageName('night')}`);
  await page.locator('body[data-loaded]').waitFor();
  expect(await page.locator('.matches').textContent()).toBe('60 rows');
  const first = page.locator('.cell[data-id="row-0"]');
  const sprite = () => first.locator('.picture').evaluate((element) => element.style.backgroundImage);
  await expect.poll(sprite).toMatch(/_sheet\/sprite-/);
  await first.locator('.open').click();
  const width = () =>
    page.locator('.stage img').evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
  await expect.poll(width).toBe(96);
  expect(problems).toEqual([]);
});
