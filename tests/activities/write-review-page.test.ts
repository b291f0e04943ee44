import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWriteReviewPage } from '../../activities/write-review-page.ts';
import { contactSheetPageName, shardReceiptsName } from '../../records/layout.ts';
import { encodeOutcomes } from '../../records/plan-and-receipts.ts';
import type { SheetHead, SheetPiece, SheetRow } from '../../review-page/index.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { receiptOf, type SampleRow, samplePictures, writeSampleBatch } from '../review-page/sample-batch.ts';
import { copyObject } from '../store/copy-object.ts';

const writeSheetPage = createWriteReviewPage(openStore);

let folder: string;
let store: ObjectStore;
let pictures: Uint8Array[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-sheet-'));
  store = await openStore(pathToFileURL(folder).href);
  pictures = await samplePictures(7, 40);
});

afterEach(() => rm(folder, { recursive: true }));

const write = () => writeSheetPage({ store: store.url, batch: 'night' });
const written = () => readdir(path.join(folder, 'batches/night/_sheet'));

async function readPage(): Promise<{ head: SheetHead; rows: SheetRow[]; sprites: (string | null)[] }> {
  const html = Buffer.from(await store.read(contactSheetPageName('night'))).toString();
  const head: SheetHead = JSON.parse(/id="head">(.*?)<\/script>/s.exec(html)![1]!);
  const pieces: SheetPiece[] = [];
  for (const piece of head.pieces) {
    const script = Buffer.from(await store.read(`batches/night/${piece}`)).toString();
    runInNewContext(script, { sheetPiece: (number: number, data: SheetPiece) => (pieces[number] = data) });
  }
  return { head, rows: pieces.flatMap(({ rows }) => rows), sprites: pieces.flatMap(({ sprites }) => sprites) };
}

const shape = { width: 40, height: 40 };

test('the page has every row of the batch in its order, with its image, or why there is none', async () => {
  const rows: SampleRow[] = Array.from({ length: 1_030 }, (_, index) => ({
    job: { ...shape, metadata: index === 1_029 ? { team: 'web', 'later column': 'x' } : { team: 'print' } },
    outcome: index === 1 ? 'failed' : index === 2 ? 'cancelled' : 'rendered',
  }));
  await writeSampleBatch(store, 'night', rows, pictures);
  expect(await write()).toBe('batches/night/contact-sheet.html');
  const { head, rows: shown, sprites: used } = await readPage();
  expect(head).toMatchObject({ batch: 'night', jobs: 1_030, columns: ['team', 'later column'] });
  expect(head.pieces).toHaveLength(2);
  expect(shown.map(({ id }) => id)).toEqual(rows.map((_, index) => `row-${index}`));
  expect(shown[0]).toMatchObject({
    status: 'rendered',
    file: 'row-0.png',
    colour: expect.stringMatching(/^#/),
    ...shape,
  });
  expect(shown[1]).toMatchObject({ status: 'failed', file: '', colour: null, reason: expect.stringContaining('412') });
  expect(shown[2]).toMatchObject({ status: 'cancelled', file: '', colour: null });
  expect(shown[1_029]!.values).toEqual(['web', 'x']);
  expect(used).toHaveLength(42);
  for (const sprite of used) expect(await store.stat(`batches/night/${sprite}`)).not.toBeNull();
});

test('written again it writes nothing but itself, and a retry makes only the sprites whose pictures changed', async () => {
  const rows: SampleRow[] = Array.from({ length: 60 }, (_, index) => ({
    job: shape,
    outcome: index === 30 ? 'failed' : 'rendered',
  }));
  const jobs = await writeSampleBatch(store, 'night', rows, pictures);
  await write();
  const first = await readPage();
  const before = await written();
  await write();
  expect((await readPage()).sprites).toEqual(first.sprites);
  expect(await written()).toEqual(before);

  const job = jobs[30]!;
  await copyObject(store, `objects/${job.renderKey}.png`, 'batches/night/row-30.png');
  await store.create(
    shardReceiptsName('night', 2, 0),
    encodeOutcomes([receiptOf('night', job)]),
    'application/x-ndjson',
  );
  await write();
  const second = await readPage();
  expect(second.rows[30]).toMatchObject({ status: 'rendered', file: 'row-30.png' });
  expect(second.sprites.map((sprite, index) => sprite === first.sprites[index])).toEqual([true, false, true]);
  // One sprite and the rows.
  expect(await written()).toHaveLength(before.length + 2);
});

test('an image that somebody removed costs no more than its thumbnail, and is there again when it is back', async () => {
  const jobs = await writeSampleBatch(store, 'night', [{ job: shape }, { job: shape }], pictures);
  await store.remove('batches/night/row-1.png');
  await write();
  expect((await readPage()).rows.map(({ colour }) => colour === null)).toEqual([false, true]);
  await copyObject(store, `objects/${jobs[1]!.renderKey}.png`, 'batches/night/row-1.png');
  await write();
  expect((await readPage()).rows.map(({ colour }) => colour === null)).toEqual([false, false]);
});

test('a batch without any image has a page with the reasons', async () => {
  await writeSampleBatch(store, 'night', [{ outcome: 'failed' }], pictures);
  await write();
  expect(await readPage()).toMatchObject({ rows: [{ status: 'failed' }], sprites: [null] });
});
