import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { filesOf } from '../../cleaning/remove-batch.ts';
import { batchEnd, retryBatch, reviewPageEnd, submitBatch, verifyBatch } from '../../client/index.ts';
import { beginForgetting, forgetRows, survey } from '../../forgetting/index.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { contactSheetPageName } from '../../records/layout.ts';
import type { Manifest } from '../../records/manifest.ts';
import { testBrowser } from '../review-page/browser.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 400_000 });

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
  await emulator.stop();
});

/** Letters of several scripts, folders, and characters with a meaning in URLs. */
const ROWS = [
  'Größe/äpfel-1,an apple,256,Äpfel & Birnen #1,7',
  '图标/苹果,a pear,256,图标 50%,8',
  'العربية,a plum,512,Äpfel & Birnen #1,9',
];
const LONG = Array(6).fill('苹'.repeat(40)).join('/');

describe.each(['folder', 'bucket'])('a batch whose ids have letters of every script, in a %s', (kind) => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ ...(kind === 'bucket' && { storeUrl: 'gs://team/named pictures' }), summaries: 'ids' });
  });

  afterAll(() => site?.stop());

  async function night(batch: string, naming?: string, rows = ROWS): Promise<Manifest> {
    const catalog = path.join(site.folder, `${batch}.csv`);
    await writeFile(catalog, ['id,prompt,size,category,seed', ...rows, ''].join('\n'));
    await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch, naming });
    await ended(batch);
    return site.manifest(batch);
  }

  async function ended(batch: string): Promise<void> {
    const end = await batchEnd(site.client, batch);
    if (end.state !== 'completed') throw new Error(JSON.stringify(end));
    await reviewPageEnd(site.client, end.result);
  }

  const copiesOf = ({ images }: Manifest): string[] => images.map(({ copy }) => copy).toSorted();

  const addressOf = (name: string): string => {
    if (kind === 'folder') return pathToFileURL(path.join(fileURLToPath(site.store.url), name)).href;
    return encodeURI(`${emulator.endpoint}/${site.store.url.slice('gs://'.length)}/${name}`);
  };

  /** Opens every picture of a batch's page in a real browser. @returns the ids of those shown */
  async function shownOn(batch: string): Promise<string[]> {
    const page = await browser!.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => problems.push(message.text()));
    await page.goto(addressOf(contactSheetPageName(batch)));
    await page.locator('body[data-loaded]').waitFor();
    const shown: string[] = [];
    for (const cell of await page.locator('.cell').all()) {
      await cell.locator('.open').click();
      const width = () =>
        page.locator('.stage img').evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
      await expect.poll(width).toBeGreaterThan(0);
      shown.push((await cell.getAttribute('data-id'))!);
      await page.keyboard.press('Escape');
    }
    expect(problems).toEqual([]);
    await page.close();
    return shown.toSorted();
  }

  const ids = ROWS.map((row) => row.split(',')[0]!).toSorted();

  it('names copies after ids, in folders, and its page shows them', async () => {
    const manifest = await night('plain');
    expect(copiesOf(manifest)).toEqual(ids.map((id) => `batches/plain/${id}.png`).toSorted());
    for (const copy of copiesOf(manifest)) expect(await site.store.stat(copy)).not.toBeNull();
    if (browser !== null) expect(await shownOn('plain')).toEqual(ids);
  });

  it('accepts ids as long as a store allows', async () => {
    const manifest = await night('long', undefined, [`${LONG},a quince,256,x,10`]);
    expect(manifest.images).toMatchObject([{ id: LONG, copy: `batches/long/${LONG}.png` }]);
    expect(await site.store.stat(`batches/long/${LONG}.png`)).not.toBeNull();
  });

  it('names copies by a template, consistently through rejection, repair, forgetting and cleaning', async () => {
    const first = await night('named', '{category}/{id}-{seed}.{ext}');
    const [apple, pear, plum] = ['an apple', 'a pear', 'a plum'].map(
      (p) => first.images.find(({ prompt }) => prompt === p)!,
    );
    expect(first.images.map(({ id, copy }) => [id, copy])).toEqual(
      expect.arrayContaining([
        [apple!.id, 'batches/named/Äpfel & Birnen #1/Größe/äpfel-1-7.png'],
        [pear!.id, 'batches/named/图标 50%/图标/苹果-8.png'],
        [plum!.id, 'batches/named/Äpfel & Birnen #1/العربية-9.png'],
      ]),
    );
    // The shared objects are those of the previous batch.
    expect(first.totals).toMatchObject({ rendered: 0, reused: 3 });
    if (browser !== null) expect(await shownOn('named')).toEqual(ids);

    const decisions = path.join(site.folder, 'decisions.csv');
    await writeFile(decisions, `id,render_key,decision\n${apple!.id.normalize('NFD')},${apple!.renderKey},rejected\n`);
    await retryBatch(site.client, 'named', { decisions });
    await ended('named');
    const second = await site.manifest('named');
    expect(copiesOf(second)).toEqual(copiesOf(first));
    const again = second.images.find(({ id }) => id === apple!.id)!;
    expect(again.renderKey).not.toBe(apple!.renderKey);
    expect(await site.store.stat(again.copy)).toMatchObject({ crc32c: again.crc32c });

    await site.store.remove(pear!.copy);
    expect(await verifyBatch('named', { store: site.store.url, repair: true })).toMatchObject({
      differences: [{ id: pear!.id, name: pear!.copy }],
      repaired: [{ id: pear!.id, from: 'object' }],
    });
    expect(await verifyBatch('named', { store: site.store.url })).toMatchObject({ images: 3, differences: [] });

    const removed: string[] = [];
    for await (const { name } of filesOf(site.store, 'named')) removed.push(name);
    expect(removed).toEqual(expect.arrayContaining(copiesOf(second)));

    const filters = [{ column: 'id', pattern: apple!.id }];
    const found = await survey(site.store, { batch: 'named', filters, bundles: [] }, () => {});
    expect(found.removals.copies.map(({ name }) => name)).toEqual([apple!.copy]);
    await beginForgetting(site.store, found);
    expect(
      await forgetRows(
        site.store,
        found,
        async () => false,
        () => {},
      ),
    ).toEqual([]);
    expect(copiesOf(await site.manifest('named'))).toEqual([pear!.copy, plum!.copy].toSorted());
    for (const { copy } of [pear!, plum!]) expect(await site.store.stat(copy)).not.toBeNull();
    expect(await site.store.stat(apple!.copy)).toBeNull();
  });
});
