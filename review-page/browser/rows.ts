import { PIECE_ROWS, type SheetHead, type SheetPiece, type SheetRow, SLOTS } from '../format.ts';

declare global {
  /** Called by a piece's script. */
  var sheetPiece: (number: number, piece: SheetPiece) => void;
}

/** The place of a row's thumbnail. */
export type SpriteSlot = { sprite: string; slot: number };

/** All rows of the batch, loaded piece by piece. */
export class Rows {
  readonly head: SheetHead;
  readonly failed: string[] = [];
  readonly #pieces: (SheetPiece | undefined)[];

  constructor(head: SheetHead) {
    this.head = head;
    this.#pieces = head.pieces.map(() => undefined);
  }

  /** Loads all pieces in turn, and calls back after each. */
  async load(loaded: () => void): Promise<void> {
    globalThis.sheetPiece = (number, piece) => {
      this.#pieces[number] = piece;
    };
    for (const [number, piece] of this.head.pieces.entries()) {
      await loadScript(piece);
      if (this.#pieces[number] === undefined) this.failed.push(piece);
      loaded();
    }
  }

  /** `undefined` if its piece is not loaded yet. */
  at(index: number): SheetRow | undefined {
    return this.#pieces[Math.floor(index / PIECE_ROWS)]?.rows[index % PIECE_ROWS];
  }

  /** `null` if the row has no thumbnail. */
  spriteOf(index: number): SpriteSlot | null {
    const sprite = this.#pieces[Math.floor(index / PIECE_ROWS)]?.sprites[Math.floor((index % PIECE_ROWS) / SLOTS)];
    if (sprite === undefined || sprite === null || this.at(index)?.colour === null) return null;
    return { sprite, slot: index % SLOTS };
  }

  /** Iterates over the loaded rows. */
  *[Symbol.iterator](): Generator<[number, SheetRow]> {
    for (const [number, piece] of this.#pieces.entries()) {
      for (const [index, row] of (piece?.rows ?? []).entries()) yield [number * PIECE_ROWS + index, row];
    }
  }
}

function loadScript(address: string): Promise<void> {
  return new Promise((resolve) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = script.onerror = () => {
      script.remove();
      resolve();
    };
    document.head.append(script);
  });
}
