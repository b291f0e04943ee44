import type { SheetHead, SheetRow } from '../format.ts';
import { carriedOf, shortOf } from './columns.ts';

/** What an image is compared with. */
export type Kinship = 'row' | 'prompt';

/**
 * Rows of the same catalog row (its variants and combinations) or of the same prompt, in the batch's order, the row itself among
 * them.
 */
export function relatives(rows: Iterable<[number, SheetRow]>, row: SheetRow, kinship: Kinship): SheetRow[] {
  const isKin =
    kinship === 'row' ? (other: SheetRow) => other.line === row.line : (other: SheetRow) => other.prompt === row.prompt;
  return [...rows].filter(([, other]) => isKin(other)).map(([, other]) => other);
}

/** In what each of them differs from the others, as `name value`; texts would be too long under an image. */
export function differences(rows: readonly SheetRow[], head: Pick<SheetHead, 'parameters' | 'columns'>): string[][] {
  const named = [...shortOf(head), ...carriedOf(head)];
  const differing = named.filter(({ textOf }) => new Set(rows.map(textOf)).size > 1);
  return rows.map((row) => differing.map(({ name, textOf }) => `${name} ${textOf(row)}`));
}
