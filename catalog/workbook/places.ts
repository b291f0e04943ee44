/** The letters of a column, by its position counted from 0: A, B … Z, AA. */
export function lettersOf(position: number): string {
  const last = String.fromCharCode(65 + (position % 26));
  return position < 26 ? last : lettersOf(Math.floor(position / 26) - 1) + last;
}

/** Sheets have 16,384 columns, up to XFD. */
const MAX_COLUMNS = 16_384;

/** The position of `B` in `B7`, counted from 0; `null` if that is not a cell reference. */
export function positionOf(reference: string): number | null {
  const letters = /^([A-Z]{1,3})\d{1,7}$/.exec(reference)?.[1];
  if (letters === undefined) return null;
  const position = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
  return position < MAX_COLUMNS ? position : null;
}

/** A sheet's name as in formulas: quoted unless it is a plain word. */
export const sheetText = (name: string): string =>
  /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name) ? name : `'${name.replaceAll("'", "''")}'`;
