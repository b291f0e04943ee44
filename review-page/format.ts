import type { Job } from '../domain/job.ts';
import type { Every } from '../domain/parameters.ts';

/** The format that the program writes and the page reads. The page imports this file too, so it uses neither Node nor browsers. */

/** Thumbnails are laid out on sprites in columns and rows; each fits into a square `cell` of so many pixels. */
export const SPRITE = { columns: 5, rows: 5, cell: 240 } as const;

export const SLOTS = SPRITE.columns * SPRITE.rows;

/** Number of rows in a piece; a multiple of SLOTS, so that no sprite belongs to two pieces. */
export const PIECE_ROWS = 1_000;

/** Embedded in the page. */
export type SheetHead = {
  batch: string;
  /** Number of rows of all pieces. */
  jobs: number;
  /** URLs of the pieces relative to the page; each but the last has PIECE_ROWS rows. */
  pieces: string[];
  /** The parameters that distinguish images, the fields of a row that hold them, and whether they are free text. */
  parameters: { name: string; field: keyof SheetParameters; isText: boolean }[];
  /** Names of the catalog's other columns, in the order of a row's `values`. */
  columns: string[];
};

/** The contents of one script file, which calls `sheetPiece` with its number and this. */
export type SheetPiece = {
  /** For every SLOTS rows, the sprite's URL relative to the page; `null` if none of them has a picture. */
  sprites: (string | null)[];
  rows: SheetRow[];
};

/** The parameters, under the field names that the table of parameters gives them. */
export type SheetParameters = {
  [Key in keyof Job as Key extends keyof Every<'sheet'> ? Every<'sheet'>[Key] : never]: Job[Key];
};

export type SheetRow = SheetParameters & {
  id: string;
  prompt: string;
  status: 'rendered' | 'reused' | 'failed' | 'cancelled';
  /** Why there is no image; empty if there is one. */
  reason: string;
  width: number;
  height: number;
  /** The first line of the catalog's row: variants and combinations share it. */
  line: number;
  renderKey: string;
  /** The image's URL relative to the page; empty if there is none. */
  file: string;
  /** The thumbnail's average colour as `#rrggbb`; `null` if there is no thumbnail. */
  colour: string | null;
  /** Cells of the catalog's other columns, in the order of SheetHead.columns; later columns may be missing. */
  values: (string | null)[];
};

/** The size of a picture on its sprite: within the square, never enlarged. */
export function thumbnailSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, SPRITE.cell / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Left and top of a slot on its sprite. */
export const slotPlace = (slot: number): { left: number; top: number } => ({
  left: (slot % SPRITE.columns) * SPRITE.cell,
  top: Math.floor(slot / SPRITE.columns) * SPRITE.cell,
});
