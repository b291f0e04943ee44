import { format, isDateFormat } from 'numfmt';

/** A cell as a table has it: the text that the sheet shows and, if that is a formatted number, the number itself. */
export type CellText = { shown: string; number: string | null };

/** Formats that a workbook refers to only by number (ECMA-376, 18.8.30); locale-dependent dates are written year first. */
const BUILT_IN = new Map(
  [
    ...Object.entries({
      ...{
        1: '0',
        2: '0.00',
        3: '#,##0',
        4: '#,##0.00',
        9: '0%',
        10: '0.00%',
        11: '0.00E+00',
        12: '# ?/?',
        13: '# ??/??',
      },
      ...{ 14: 'yyyy-mm-dd', 15: 'd-mmm-yy', 16: 'd-mmm', 17: 'mmm-yy', 18: 'h:mm AM/PM', 19: 'h:mm:ss AM/PM' },
      ...{ 20: 'h:mm', 21: 'h:mm:ss', 22: 'yyyy-mm-dd hh:mm', 37: '#,##0;(#,##0)', 38: '#,##0;(#,##0)' },
      ...{ 39: '#,##0.00;(#,##0.00)', 40: '#,##0.00;(#,##0.00)', 45: 'mm:ss', 46: '[h]:mm:ss', 47: 'mm:ss.0' },
      ...{ 48: '##0.0E+0', 49: '@' },
    }),
  ].map(([id, pattern]) => [Number(id), pattern] as const),
);

/** Dates of East Asian calendars. */
const isEastAsianDate = (id: number): boolean => (id >= 27 && id <= 36) || (id >= 50 && id <= 58);

/** The pattern for a format number; "General" for all others. */
export const builtInFormat = (id: number): string =>
  BUILT_IN.get(id) ?? (isEastAsianDate(id) ? 'yyyy-mm-dd' : 'General');

/** Days between the two epochs of workbooks. */
const DAYS_FROM_1900_TO_1904 = 1_462;

/**
 * A number as the sheet shows it. Without a format it is shown in full, while a spreadsheet shows at most eleven digits: a
 * long number is usually an article number.
 *
 * @param stored the number as stored in the workbook
 * @param pattern such as `0.00` or `dd.mm.yyyy`; an unreadable pattern counts as none
 */
export function numberText(stored: string, pattern: string, is1904: boolean): CellText {
  const value = Number(stored);
  if (stored.trim() === '' || !Number.isFinite(value)) return { shown: stored, number: null };
  const number = plainNumber(value);
  if (/^(general|@)?$/i.test(pattern)) return { shown: number, number };
  try {
    const isDate = isDateFormat(pattern);
    const serial = isDate && is1904 ? value + DAYS_FROM_1900_TO_1904 : value;
    const shown = format(pattern, serial, { nbsp: false });
    return { shown, number: isDate ? null : number };
  } catch {
    return { shown: number, number };
  }
}

/**
 * Fifteen digits, which is all that spreadsheets keep: 0.30000000000000004 is 0.3. Without an exponent, in the range
 * that columns accept.
 */
function plainNumber(value: number): string {
  const rounded = Number(value.toPrecision(15));
  return Number.isInteger(rounded) && Math.abs(rounded) < 1e21 ? BigInt(rounded).toString() : String(rounded);
}

/** Decodes characters that XML cannot represent, which are written by number: `_x000D_`. */
export const unescaped = (text: string): string =>
  text
    .replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll(/\r\n?/g, '\n');
