import { batchOf, checkpointName, removalName, roundsFolder, undamagedName } from '../records/layout.ts';
import { metadataName } from '../store/file-metadata.ts';
import { type ForgottenRows, isWhole } from './forgotten-rows.ts';
import { copiedAs, type Kind, kindInBatch } from './kinds.ts';
import type { OtherRows } from './other-rows.ts';

/** What happens to an object: it is removed, it is rewritten without the rows, or (`null`) it stays. */
export type Fate = Kind | 'rewritten' | null;

type Found = {
  rows: readonly ForgottenRows[];
  others: OtherRows;
  /** Names of the notes about catalogs whose last batch is removed. */
  catalogs: ReadonlySet<string>;
  captions: ReadonlySet<string>;
};

/** Returns a function from an object's name to its fate. */
export function kindFinder({ rows, others, catalogs, captions }: Found): (name: string) => Fate {
  const byBatch = new Map(rows.map((found) => [found.batch, found]));
  const pictures = new Set(rows.flatMap((found) => [...found.pictures.values()]));
  const gone = [...pictures].filter((name) => !others.neededBy.has(name));
  const removed = new Map<string, Kind>([
    ...gone.map((name) => [name, 'pictures'] as const),
    ...gone.map((name) => [metadataName(name), 'records'] as const),
    ...[...catalogs].map((name) => [name, 'records'] as const),
    ...rows.flatMap((found) => [...found.pictures.keys()]).map((key) => [checkpointName(key), 'checkpoints'] as const),
  ]);
  const isTheirs = (name: string): boolean => {
    const batch = batchOf(name);
    return pictures.has(name) || (batch !== null && fateInBatch(byBatch.get(batch), name) === 'copies');
  };
  return (name) => {
    const batch = batchOf(name);
    if (batch !== null) return fateInBatch(byBatch.get(batch), name);
    const undamaged = undamagedName(name);
    if (undamaged !== null) return isTheirs(undamaged) ? 'damaged files' : null;
    return removed.get(name) ?? (captions.has(name) ? 'captions' : null);
  };
}

function fateInBatch(rows: ForgottenRows | undefined, name: string): Fate {
  if (rows === undefined || name === removalName(rows.batch)) return null;
  const { batch, copies } = rows;
  const kind = kindInBatch(batch, name);
  if (isWhole(rows)) return kind;
  switch (kind) {
    case 'copies':
      return copies.has(copiedAs(batch, name)!) ? kind : null;
    case 'catalogs':
      return kind;
    case 'sheets':
    case 'records':
      return name.startsWith(roundsFolder(batch)) ? null : 'rewritten';
    default:
      return null;
  }
}
