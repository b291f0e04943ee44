import sharp, { type OverlayOptions } from 'sharp';
import { contactSheetName, type ObjectStore } from '../store/index.ts';
import type { WriteContactSheetInput } from '../workflows/contract.ts';
import { batchOutcomes, isReceipt } from './batch-pieces.ts';
import type { OpenStore } from './dependencies.ts';

/** Enough for a look; a sheet of a whole night would be too large to open. */
const IMAGES = 240;
const COLUMNS = 12;
const CELL = 160;
const GAP = 8;

/** The activity that puts the batch's first images, in the plan's order, onto one sheet. It returns the object's name, or `null` where there is no image. */
export function createWriteContactSheet(openStore: OpenStore) {
  return async function writeContactSheet({ store: url, batch }: WriteContactSheetInput): Promise<string | null> {
    const store = await openStore(url);
    const copies = await firstCopies(store, batch);
    if (copies.length === 0) return null;
    const cells: OverlayOptions[] = [];
    for (const [index, copy] of copies.entries()) cells.push(await cell(store, copy, index));
    const columns = Math.min(COLUMNS, copies.length);
    const sheet = sharp({
      create: {
        width: GAP + columns * (CELL + GAP),
        height: GAP + Math.ceil(copies.length / columns) * (CELL + GAP),
        channels: 3,
        background: '#f4f4f2',
      },
    });
    const name = contactSheetName(batch);
    await store.replace(name, await sheet.composite(cells).webp({ quality: 85 }).toBuffer(), 'image/webp');
    return name;
  };
}

async function firstCopies(store: ObjectStore, batch: string): Promise<string[]> {
  const copies: string[] = [];
  for await (const { outcome } of batchOutcomes(store, batch)) {
    if (isReceipt(outcome)) copies.push(outcome.copy);
    if (copies.length === IMAGES) break;
  }
  return copies;
}

async function cell(store: ObjectStore, copy: string, index: number): Promise<OverlayOptions> {
  const thumbnail = await sharp(await store.read(copy))
    .resize(CELL, CELL, { fit: 'contain', background: '#f4f4f2' })
    .png()
    .toBuffer();
  const row = Math.floor(index / COLUMNS);
  const column = index % COLUMNS;
  return { input: thumbnail, left: GAP + column * (CELL + GAP), top: GAP + row * (CELL + GAP) };
}
