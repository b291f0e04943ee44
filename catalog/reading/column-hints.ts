import { closestMatch } from 'leven';
import { COLUMNS, type Column, fold } from './columns.ts';

/** So many letters of a name may be other, missing or too many; of a short one fewer, or "no" were almost "id". */
const typos = (name: string): number => Math.min(2, Math.floor(name.length / 3));

/** Columns that mean nothing to us, and which of ours each may have been meant for. */
export function misspeltColumns(metadata: readonly string[]): { found: string; meant: Column }[] {
  return metadata.flatMap((found) => {
    const meant = closestMatch(fold(found), COLUMNS, { maxDistance: typos(found) });
    return meant === undefined ? [] : [{ found, meant: meant as Column }];
  });
}
