import { cellsOf } from '../domain/job.ts';
import { Turns } from '../domain/turns.ts';
import { CarriedNames } from '../records/carried-names.ts';
import { batchFolder, contactSheetPageName, sheetFolder } from '../records/layout.ts';
import type { RowOutcome } from '../records/plan-and-receipts.ts';
import { type ObjectStore, readIfThere, writeOrBeside } from '../store/index.ts';
import { encodePiece } from './encode.ts';
import { PIECE_ROWS, type SheetPiece, type SheetRow, SLOTS } from './format.ts';
import { makePage } from './page.ts';
import { SHEET_PARAMETERS, sheetRow } from './row.ts';
import { makeSprite, type SpriteImage, spriteColours, spriteName } from './sprite.ts';

/** Number of sprites made concurrently: while one waits for the store, another is decoded. */
const SPRITES_AT_ONCE = 4;

/** Object names of the page and of what it loads. */
type WrittenPage = { page: string; loads: Set<string> };

/**
 * Writes the page that shows all rows of a batch. Sprites and rows are named by their contents, so those of an earlier attempt or
 * round are reused, and an open page keeps working. Memory is bounded by a piece's rows and a few images.
 */
export async function writePage(
  store: ObjectStore,
  batch: string,
  outcomes: AsyncIterable<RowOutcome>,
): Promise<WrittenPage> {
  const columns = new CarriedNames();
  const pieces: string[] = [];
  const loads = new Set<string>();
  let jobs = 0;
  let rows: SheetRow[] = [];
  const turns = new Turns();
  const endPiece = async (): Promise<void> => {
    const piece = await writePiece(store, batch, pieces.length, rows);
    pieces.push(address(batch, piece.object));
    for (const object of [piece.object, ...piece.sprites]) loads.add(object);
    rows = [];
  };
  for await (const { job, outcome } of outcomes) {
    if (rows.length === PIECE_ROWS) await endPiece();
    rows.push(sheetRow(job, outcome, columns, batchFolder(batch)));
    jobs += 1;
    await turns.after(cellsOf(job) + rows.at(-1)!.values.length);
  }
  if (rows.length > 0) await endPiece();
  const head = { batch, jobs, pieces, parameters: SHEET_PARAMETERS, columns: columns.names };
  const made = await makePage(head);
  const page = await writeOrBeside(store, contactSheetPageName(batch), made, 'text/html; charset=utf-8');
  return { page, loads };
}

async function writePiece(store: ObjectStore, batch: string, number: number, rows: SheetRow[]) {
  const groups = Array.from({ length: Math.ceil(rows.length / SLOTS) }, (_, group) =>
    rows.slice(group * SLOTS, (group + 1) * SLOTS),
  );
  const objects: (string | null)[] = groups.map(() => null);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < groups.length) {
      const group = next++;
      objects[group] = await writeSprite(store, batch, groups[group]!);
    }
  };
  await Promise.all(Array.from({ length: SPRITES_AT_ONCE }, work));
  const sprites: SheetPiece['sprites'] = objects.map((object) => object && address(batch, object));
  const { name, file } = await encodePiece(number, { sprites, rows });
  const object = `${sheetFolder(batch)}${name}`;
  await store.create(object, file, 'text/javascript; charset=utf-8');
  return { object, sprites: objects.filter((sprite) => sprite !== null) };
}

/** Writes a sprite unless it exists, and sets its rows' colours. @returns its object's name; `null` if there is nothing to show */
async function writeSprite(store: ObjectStore, batch: string, rows: SheetRow[]): Promise<string | null> {
  const slots = rows.map((row): SpriteImage | null => (row.file === '' ? null : row));
  if (slots.every((image) => image === null)) return null;
  const whole = `${sheetFolder(batch)}${spriteName(slots)}`;
  const there = await readIfThere(store, whole);
  if (there !== null) return settle(await spriteColours(there, slots), whole);
  const { file, colours } = await makeSprite(slots, (slot) =>
    readIfThere(store, `${batchFolder(batch)}${rows[slot]!.file}`),
  );
  // Named without the missing images: the next time, they may be there.
  const found = slots.map((image, slot) => (colours[slot] === null ? null : image));
  const object = `${sheetFolder(batch)}${spriteName(found)}`;
  await store.create(object, file, 'image/webp');
  return settle(colours, object);

  function settle(colours: (string | null)[], sprite: string): string {
    for (const [slot, row] of rows.entries()) row.colour = colours[slot] ?? null;
    return sprite;
  }
}

/** The URL of an object of the batch, relative to its page. */
const address = (batch: string, object: string): string => object.slice(batchFolder(batch).length);
