import type { Job } from '../domain/job.ts';
import type { Every } from '../domain/parameters.ts';

/** What the program writes and the page reads. The page's code imports this file too, so it has nothing of Node or the browser. */

/** Thumbnails lie on sprites of so many columns and rows; each fits into a square of so many pixels. */
export const SPRITE = { columns: 5, rows: 5, cell: 240 } as const;

export const SLOTS = SPRITE.columns * SPRITE.rows;

/** Rows that are loaded at once; a multiple of SLOTS, so that no sprite belongs to two pieces. */
export const PIECE_ROWS = 1_000;

/** Embedded in the page. */
export type SheetHead = {
  batch: string;
  /** All rows of all pieces. */
  jobs: number;
  /** Addresses of the pieces relative to the page, each with PIECE_ROWS rows but the last. */
  pieces: string[];
  /** The parameters that images are told apart by, the fields of a row that have them, and whether they are free text. */
  parameters: { name: string; field: keyof SheetParameters; isText: boolean }[];
  /** Names of the catalog's other columns, in the order of a row's `values`. */
  columns: string[];
};

/** One script file: it calls `sheetPiece` with its number and itself. */
export type SheetPiece = {
  /** For each SLOTS rows the sprite's address relative to the page; `null` if none of them has a picture. */
  sprites: (string | null)[];
  rows: SheetRow[];
};

/** Named by the table of parameters. */
export type SheetParameters = {
  [Key in keyof Job as Key extends keyof Every<'sheet'> ? Every<'sheet'>[Key] : never]: Job[Key];
};

export type SheetRow = SheetParameters & {
  id: string;
  prompt: string;
  status: 'rendered' | 'reused' | 'failed' | 'cancelled';
  /** Why there is no image; empty where there is one. */
  reason: string;
  width: number;
  height: number;
  /** The first line of the catalog's row: variants and combinations share it. */
  line: number;
  renderKey: string;
  /** The image's address relative to the page; empty where there is none. */
  file: string;
  /** The thumbnail's average colour as `#rrggbb`; `null` if there is no thumbnail. */
  colour: string | null;
  /** Cells of the catalog's other columns, by SheetHead.columns; later columns may be missing. */
  values: (string | null)[];
};

/** How large a picture is on its sprite: within the square, never enlarged. */
export function thumbnailSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, SPRITE.cell / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Left and top of a slot on its sprite. */
export const slotPlace = (slot: number): { left: number; top: number } => ({
  left: (slot % SPRITE.columns) * SPRITE.cell,
  top: Math.floor(slot / SPRITE.columns) * SPRITE.cell,
});
