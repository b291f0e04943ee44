import type { SheetHead, SheetRow } from '../format.ts';
import { carriedOf, shortOf } from './columns.ts';

/** Which images to compare an image with: those of its catalog row, or of its prompt. */
export type Kinship = 'row' | 'prompt';

/** Rows of the same catalog row (its variants and combinations) or prompt, in the batch's order, including the row itself. */
export function relatives(rows: Iterable<[number, SheetRow]>, row: SheetRow, kinship: Kinship): SheetRow[] {
  const isKin =
    kinship === 'row' ? (other: SheetRow) => other.line === row.line : (other: SheetRow) => other.prompt === row.prompt;
  return [...rows].filter(([, other]) => isKin(other)).map(([, other]) => other);
}

/** How each of them differs from the others, as `name value`; free text would be too long under an image. */
export function differences(rows: readonly SheetRow[], head: Pick<SheetHead, 'parameters' | 'columns'>): string[][] {
  const named = [...shortOf(head), ...carriedOf(head)];
  const differing = named.filter(({ textOf }) => new Set(rows.map(textOf)).size > 1);
  return rows.map((row) => differing.map(({ name, textOf }) => `${name} ${textOf(row)}`));
}
