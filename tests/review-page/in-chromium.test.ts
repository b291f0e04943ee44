import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWriteReviewPage } from '../../activities/write-review-page.ts';
import type { Job } from '../../domain/job.ts';
import { readDecisions } from '../../records/decisions.ts';
import { contactSheetPageName } from '../../records/layout.ts';
import { readDecisionsCsv } from '../../review-page/browser/decisions-csv.ts';
import { openStore } from '../../store/index.ts';
import { testBrowser } from './browser.ts';
import { type SampleRow, samplePictures, writeSampleBatch } from './sample-batch.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 400_000 });

const browser = await testBrowser();

const ROWS = 10_000;
const hostile = `<img src=x onerror="document.title='run'"></script><script>document.title='run'</script>`;

/** Four variants of each catalog row; some jobs failed; one row is hostile. */
const sampleRows = (): SampleRow[] =>
  Array.from({ length: ROWS }, (_, index) => ({
    job: {
      width: 96,
      height: 96,
      prompt: index === 3 ? hostile : `a lantern in street ${index >> 2}`,
      line: 2 + (index >> 2),
      seed: 500 + (index % 4),
      metadata: { team: index === 3 ? hostile : index % 2 === 0 ? 'web' : 'print', [hostile]: hostile },
    },
    outcome: index % 10 === 7 && index < 50 ? 'failed' : 'rendered',
  }));

let folder: string;
let jobs: Job[];
let address: string;

beforeAll(async () => {
  if (browser === null) return;
  folder = await mkdtemp(join(tmpdir(), 'pixart-page-'));
  const store = await openStore(pathToFileURL(folder).href);
  // Eight repeated sprites: the tests check ids and colours, and drawing 10,000 pictures would take long.
  const picture = (index: number) => (index + (Math.floor(index / 25) % 8)) % 25;
  jobs = await writeSampleBatch(store, 'night', sampleRows(), await samplePictures(25, 96), picture);
  await createWriteReviewPage(openStore)({ store: store.url, batch: 'night' });
  address = pathToFileURL(join(folder, contactSheetPageName('night'))).href;
});

afterAll(async () => {
  if (browser === null) return;
  await browser.close();
  await rm(folder, { recursive: true });
});

describe.skipIf(browser === null)('the page from a folder', () => {
  let context: BrowserContext;
  let page: Page;
  let problems: string[];

  beforeEach(async () => {
    if (browser === null) return;
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    problems = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => problems.push(message.text()));
    page.on('request', (request) => {
      if (!/^(file|blob):/.test(request.url())) problems.push(request.url());
    });
    await open();
  });

  afterEach(async () => {
    await context.close();
    expect(problems).toEqual([]);
  });

  const open = async () => {
    await page.goto(address);
    await page.locator('body[data-loaded]').waitFor();
  };
  const cell = (id: string) => page.locator(`.cell[data-id="${id}"]`);
  // Cells are updated in the next frame.
  const decided = (id: string, decision: string) =>
    page.locator(`.cell[data-id="${id}"][data-decision="${decision}"]`).waitFor();
  const current = (id: string) => page.locator(`.cell.current[data-id="${id}"]`).waitFor();
  const matches = () => page.locator('.matches').textContent();
  const tally = () => page.locator('.tally').textContent();
  const press = async (keys: string) => {
    for (const key of keys.split(' ')) await page.keyboard.press(key);
  };
  const exported = async (): Promise<string> => {
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export decisions as decisions.csv' }).click();
    expect((await download).suggestedFilename()).toBe('decisions.csv');
    return readFile(await (await download).path(), 'utf8');
  };

  test('scrolls through 10,000 images with few cells at a time, and shows their thumbnails', async () => {
    expect(await matches()).toBe('10,000 rows');
    for (const part of [0.25, 0.5, 0.75, 1]) {
      await page.locator('main').evaluate((main, part) => main.scrollTo(0, part * main.scrollHeight), part);
      await page.waitForTimeout(50);
      expect(await page.locator('.cell').count()).toBeLessThan(100);
    }
    await cell('row-9999').waitFor();
    const picture = cell('row-9999').locator('.picture');
    await expect.poll(() => picture.evaluate((element) => element.style.backgroundImage)).toMatch(/_sheet\/sprite-/);
    expect(await picture.evaluate((element) => element.style.backgroundColor)).toMatch(/^rgb/);
    await press('Home');
    await cell('row-0').waitFor();
  });

  test('shows a hostile prompt and column as text, and runs none of it', async () => {
    await expect.poll(() => cell('row-3').locator('.prompt').textContent()).toBe(hostile);
    await cell('row-3').locator('.open').click();
    await expect.poll(() => page.locator('.zoom .about p').textContent()).toBe(hostile);
    expect(await page.locator('.zoom dd').last().textContent()).toBe(hostile);
    expect(await page.title()).toBe('night – review page');
    expect(await page.locator('[onerror]').count()).toBe(0);
  });

  test('filters by search, status and other columns', async () => {
    await press('/');
    await page.keyboard.type('LANTERN row-24');
    expect(await matches()).toBe('111 of 10,000');
    await page.locator('summary').click();
    await page.getByLabel('team', { exact: true }).selectOption({ label: 'web (5,000)' });
    expect(await matches()).toBe('56 of 10,000');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByLabel('status').selectOption({ label: 'failed (5)' });
    expect(await matches()).toBe('5 of 10,000');
    await cell('row-7').locator('.note', { hasText: '412 tokens' }).waitFor();
  });

  test('shows rows in another order, and keeps the current one', async () => {
    await press('ArrowRight');
    await current('row-1');
    await page.getByLabel('order', { exact: true }).selectOption({ label: 'by id' });
    await current('row-1');
    await page.getByTitle('Ascending; click for descending').click();
    await press('Home');
    await current('row-9999');
    await page.getByLabel('order', { exact: true }).selectOption({ label: 'catalog order' });
    await page.getByTitle('Descending; click for ascending').click();
    await press('Home');
    await current('row-0');
  });

  test('records decisions by keyboard, keeps, exports and reverts them', async () => {
    await press('a r r ArrowRight a u a');
    expect(await tally()).toBe('✓ 2 approved✕ 2 rejected');
    const row = (index: number, decision: string) => ({
      id: `row-${index}`,
      renderKey: jobs[index]!.renderKey,
      decision,
    });
    const expected = [row(0, 'approved'), row(1, 'rejected'), row(2, 'rejected'), row(4, 'approved')];
    expect(readDecisionsCsv(await exported())).toEqual(expected);
    const toRetry = await readDecisions(Buffer.from(await exported()), 'decisions.csv');
    expect([...toRetry].filter(([, keys]) => keys.size > 0).map(([id]) => id)).toEqual(['row-1', 'row-2']);

    await open();
    expect(await tally()).toBe('✓ 2 approved✕ 2 rejected');
    await decided('row-1', 'rejected');
    await page.getByLabel('decision', { exact: true }).selectOption('rejected');
    expect(await matches()).toBe('2 of 10,000');

    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Import decisions.csv' }).click();
    const name = 'decisions.csv';
    const table = [
      'id;render_key;decision',
      `row-9998;${jobs[9_998]!.renderKey};rejected`,
      `row-2;${jobs[2]!.renderKey};approved`,
      `row-5;${'0'.repeat(64)};rejected`,
    ];
    await (await chooser).setFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(table.join('\r\n')) });
    await expect.poll(() => page.locator('.toast').textContent()).toMatch(/^2 decisions imported; 1 skipped/);
    expect(await tally()).toBe('✓ 3 approved✕ 2 rejected');
    expect(await matches()).toBe('2 of 10,000');
    await cell('row-9998').waitFor();
  });

  test('steps through undecided images, each of which leaves once it is decided', async () => {
    await page.getByLabel('decision', { exact: true }).selectOption('undecided');
    await cell('row-0').locator('.open').focus();
    await press('a r a');
    expect(await matches()).toBe('9,997 of 10,000');
    await current('row-3');
    await press('u');
    await current('row-2');
  });

  test('opens an image at full size, zooms, moves on and decides there', async () => {
    await cell('row-4').locator('.open').click();
    const image = page.locator('.stage img');
    await expect
      .poll(() => image.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth))
      .toBe(96);
    const toggle = page.getByTitle('Fit or 100 % (f)');
    expect(await toggle.textContent()).toBe('Fit (200 %)');
    await press('f');
    expect(await toggle.textContent()).toBe('100 %');
    await page.mouse.move(640, 400);
    await page.mouse.wheel(0, -800);
    await expect.poll(() => toggle.textContent()).toBe('332 %');
    await press('ArrowRight r');
    expect(await page.locator('.zoom').getAttribute('data-id')).toBe('row-6');
    await press('ArrowRight');
    expect(await page.locator('.zoom .message').textContent()).toContain('failed');
    await press('Escape');
    await decided('row-5', 'rejected');
    await page.locator('.cell.current .open:focus').waitFor();
  });

  test('warns if the browser keeps nothing', async () => {
    await page.addInitScript(
      "Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } })",
    );
    await open();
    await page.locator('.toast', { hasText: 'export them before you close it' }).waitFor();
    await cell('row-0').locator('.open').focus();
    await press('a');
    expect(await tally()).toBe('✓ 1 approved✕ 0 rejected');
    expect(readDecisionsCsv(await exported())).toHaveLength(1);
  });

  test('compares the variants of a row', async () => {
    await cell('row-9').locator('.open').focus();
    await press('c');
    const figures = page.locator('.compare figure');
    expect(await figures.evaluateAll((all) => all.map((figure) => figure.dataset.id))).toEqual(
      [8, 9, 10, 11].map((n) => `row-${n}`),
    );
    expect(await figures.nth(2).locator('.prompt').textContent()).toBe('seed 502 · team web');
    await press('+');
    const zoom = () => page.locator('.figures').evaluate((all) => all.style.getPropertyValue('--zoom'));
    expect(await zoom()).toBe('1.25');
    await press('ArrowRight a ArrowRight r Escape');
    await decided('row-10', 'approved');
    await decided('row-11', 'rejected');
  });
});
