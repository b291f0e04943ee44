import { type Archive, NotAWorkbook } from './archive.ts';
import { type CellText, numberText, unescaped } from './cell-text.ts';
import { positionOf } from './places.ts';
import type { Workbook } from './workbook.ts';
import { xmlEvents } from './xml-events.ts';

/** A non-empty cell of a sheet. */
export type SheetCell = CellText & {
  /** The column, counted from 0. */
  position: number;
  /** Why a formula has no value; `null` if it has one. */
  lacks: 'never calculated' | 'maybe never calculated' | null;
};

/** A non-empty row of a sheet; numbers count from 1. */
export type SheetRow = { line: number; cells: SheetCell[]; isHidden: boolean };

/**
 * A sheet's rows in order, one at a time. Cells and rows that only have formatting are left out.
 *
 * @throws NotAWorkbook for a part that is not a sheet, or is damaged
 */
export async function* sheetRows(archive: Archive, part: string, workbook: Workbook): AsyncGenerator<SheetRow> {
  const reader = new RowReader(workbook);
  for await (const _ of xmlEvents(part, archive.stream(part), reader)) yield* reader.take();
}

/** Assembles rows from the XML events of a sheet. */
class RowReader {
  readonly #workbook: Workbook;
  #rows: SheetRow[] = [];
  #row: SheetRow | null = null;
  #line = 0;
  #next = 0;
  #cell: { type: string; format: number; hasFormula: boolean; value: string | null; inline: string } | null = null;
  /** The element whose text is being collected. */
  #within: 'v' | 't' | null = null;
  #isAloud = false;

  constructor(workbook: Workbook) {
    this.#workbook = workbook;
  }

  take(): SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    const cell = this.#cell;
    if (name === 'row') this.#openRow(attributes);
    else if (name === 'c' && this.#row !== null) this.#openCell(attributes);
    else if (cell === null) return;
    else if (name === 'f') cell.hasFormula = true;
    else if (name === 'rPh') this.#isAloud = true;
    else if (name === 'v') {
      this.#within = 'v';
      cell.value = '';
    } else if (name === 't' && !this.#isAloud) this.#within = 't';
  }

  text(piece: string): void {
    if (this.#cell === null || this.#within === null) return;
    if (this.#within === 'v') this.#cell.value += piece;
    else this.#cell.inline += piece;
  }

  close(name: string): void {
    if (name === 'v' || name === 't') this.#within = null;
    else if (name === 'rPh') this.#isAloud = false;
    else if (name === 'c') this.#closeCell();
    else if (name === 'row' && this.#row !== null) {
      if (this.#row.cells.length > 0) this.#rows.push(this.#row);
      this.#row = null;
    }
  }

  #openRow({ r, hidden }: Readonly<Record<string, string>>): void {
    const line = r === undefined ? this.#line + 1 : Number(r);
    if (!Number.isSafeInteger(line) || line <= this.#line) {
      throw new NotAWorkbook(`rows of a sheet in their order, after row ${this.#line}`, `row ${r}`);
    }
    this.#line = line;
    this.#next = 0;
    this.#row = { line, cells: [], isHidden: hidden === '1' || hidden === 'true' };
  }

  #openCell({ r, t = 'n', s }: Readonly<Record<string, string>>): void {
    if (r !== undefined) {
      const position = positionOf(r);
      if (position === null || position < this.#next) {
        throw new NotAWorkbook(`cells of row ${this.#line} in their order`, `cell ${r}`);
      }
      this.#next = position;
    }
    this.#cell = { type: t, format: Number(s ?? -1), hasFormula: false, value: null, inline: '' };
  }

  #closeCell(): void {
    const cell = this.#cell;
    if (cell === null || this.#row === null) return;
    this.#cell = null;
    const position = this.#next;
    this.#next += 1;
    const { type, value, hasFormula } = cell;
    const { isUncalculated } = this.#workbook;
    // A formula may result in empty text, but a number is always written.
    if (hasFormula && (value === null || (value === '' && type === 'n'))) {
      this.#row.cells.push({ position, shown: '', number: null, lacks: 'never calculated' });
      return;
    }
    const text = type === 'inlineStr' ? plain(unescaped(cell.inline)) : this.#textOf(type, value ?? '', cell.format);
    if (text.shown === '') return;
    const isZero = hasFormula && isUncalculated && type === 'n' && Number(value) === 0;
    this.#row.cells.push({ position, ...text, lacks: isZero ? 'maybe never calculated' : null });
  }

  #textOf(type: string, value: string, format: number): CellText {
    const { texts, formats, is1904 } = this.#workbook;
    if (value === '') return plain('');
    switch (type) {
      case 's': {
        const text = texts[Number(value)];
        if (text !== undefined) return plain(text);
        throw new NotAWorkbook(`one of the workbook's ${texts.length} texts in row ${this.#line}`, `text ${value}`);
      }
      case 'b':
        return plain(value === '1' || value === 'true' ? 'TRUE' : 'FALSE');
      case 'n':
        return numberText(value, formats[format] ?? 'General', is1904);
      default:
        // Text results of formulas, errors such as #REF!, and ISO dates.
        return plain(unescaped(value));
    }
  }
}

const plain = (shown: string): CellText => ({ shown, number: null });
