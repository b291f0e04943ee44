/**
 * What the contact-sheet page costs: the time to write it, to write it again with its sprites in place, until it is usable
 * in Chromium, and between frames while it scrolls from the first row to the last.
 *
 *   npx tsx benchmarks/contact-sheet.ts [images, default 10000] [their side in pixels, default 512]
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createWriteReviewPage } from '../activities/write-review-page.ts';
import { contactSheetPageName, sheetFolder } from '../records/layout.ts';
import { SLOTS } from '../review-page/index.ts';
import { openStore } from '../store/index.ts';
import { openBrowser } from '../tests/review-page/browser.ts';
import { samplePictures, writeSampleBatch } from '../tests/review-page/sample-batch.ts';

/**
 * The number of distinct images. It is prime: each hundred sprites step through the images differently, and are all
 * different.
 */
const PICTURES = 101;
const ROWS_A_STEP = 100 * SLOTS;
const BATCH = 'night';
const SCROLL_SECONDS = 10;

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
};

async function makePage(folder: string, images: number, side: number): Promise<void> {
  const store = await openStore(pathToFileURL(folder).href);
  const rows = Array.from({ length: images }, (_, index) => ({
    job: { width: side, height: side, prompt: `a lantern in street ${index}`, metadata: { team: `team ${index % 7}` } },
  }));
  const pictures = await samplePictures(PICTURES, side);
  await writeSampleBatch(
    store,
    BATCH,
    rows,
    pictures,
    (index) => (index * (1 + Math.floor(index / ROWS_A_STEP))) % PICTURES,
  );
  const first = await seconds(() => createWriteReviewPage(openStore)({ store: store.url, batch: BATCH }));
  const again = await seconds(() => createWriteReviewPage(openStore)({ store: store.url, batch: BATCH }));
  console.log(`page of ${images} images of ${side} px: ${first.toFixed(1)} s, again ${again.toFixed(1)} s`);
  const memory = Math.round(process.resourceUsage().maxRSS / 1_024);
  const written = path.join(folder, sheetFolder(BATCH));
  const files = await Promise.all((await readdir(written)).map((name) => stat(path.join(written, name))));
  const megabytes = files.reduce((sum, { size }) => sum + size, 0) / 1e6;
  console.log(`${files.length} files of ${megabytes.toFixed(1)} MB; at most ${memory} MB of memory`);
}

/** In the page under test. */
declare const requestAnimationFrame: (then: (now: number) => void) => void;

/** Milliseconds between frames, in order, while the page scrolls at an even pace over `screens` screens. */
async function scroll(page: Page, screens: number): Promise<number[]> {
  const frames = await page.locator('main').evaluate(
    async (main, { screens, duration }) => {
      const height = Math.min(screens * main.clientHeight, main.scrollHeight - main.clientHeight);
      const frames: number[] = [];
      const began = performance.now();
      for (let last = began; last - began < duration; ) {
        const now: number = await new Promise((resolve) => requestAnimationFrame(resolve));
        main.scrollTop = (height * (now - began)) / duration;
        frames.push(now - last);
        last = now;
      }
      return frames;
    },
    { screens, duration: SCROLL_SECONDS * 1_000 },
  );
  return frames.sort((a, b) => a - b);
}

async function look(browser: Browser, address: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
  await page.goto('about:blank');
  const usable = await seconds(async () => {
    await page.goto(address);
    await page.locator('.cell .picture[style*="sprite"]').first().waitFor();
  });
  const loaded = await seconds(() => page.locator('body[data-loaded]').waitFor());
  console.log(`first thumbnails after ${usable.toFixed(2)} s, all rows after ${(usable + loaded).toFixed(2)} s`);
  for (const [what, screens] of [
    ['four screens a second', 4 * SCROLL_SECONDS],
    ['from the first row to the last', Number.POSITIVE_INFINITY],
  ] as const) {
    const frames = await scroll(page, screens);
    const at = (part: number) => frames[Math.min(frames.length - 1, Math.floor(part * frames.length))]!.toFixed(0);
    const late = frames.filter((ms) => ms > 50).length;
    console.log(
      `scrolling for ${SCROLL_SECONDS} s, ${what}: ${frames.length} frames, median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms, ${late} over 50 ms`,
    );
  }
  const cells = await page.locator('.cell').count();
  const filter = await seconds(async () => {
    await page.getByLabel('Search').fill('street 999');
    await page.locator('.matches', { hasText: ' of ' }).waitFor();
  });
  console.log(`${cells} cells at once; a search takes ${(filter * 1_000).toFixed(0)} ms`);
}

const [images = '10000', side = '512'] = process.argv.slice(2);
const folder = await mkdtemp(path.join(tmpdir(), 'pixart-sheet-'));
try {
  await makePage(folder, Number(images), Number(side));
  const browser = await openBrowser();
  await look(browser, pathToFileURL(path.join(folder, contactSheetPageName(BATCH))).href);
  await browser.close();
} finally {
  await rm(folder, { recursive: true });
}
