/** What a listing of a batch's folder shows. */
export type SeenBatch = {
  batch: string;
  /** When anything was last written to its folder, in milliseconds since 1970. */
  writtenAt: number;
  /** Whether its removal has started and not ended. */
  isBeingRemoved: boolean;
};

export type BatchRules = {
  olderThanMs: number;
  /** Ids, in which `*` matches any characters. */
  keep: readonly string[];
  /** How many of the newest batches of each catalog stay. */
  keepLast: number;
};

/** A batch that is old enough to go, and why it stays. */
export type KeptBatch = { batch: string; why: string };

type Choice<T extends SeenBatch> = { remove: T[]; keep: KeptBatch[] };

/**
 * Chooses the batches to remove: those that are old enough and kept by no rule, and those whose removal has started.
 *
 * @param catalogs the URL of each batch's catalog, if known; needed only for `keepLast`
 * @param now in milliseconds since 1970
 */
export function chooseBatches<T extends SeenBatch>(
  batches: readonly T[],
  rules: BatchRules | null,
  catalogs: ReadonlyMap<string, string>,
  now: number,
): Choice<T> {
  const begun = batches.filter(({ isBeingRemoved }) => isBeingRemoved);
  if (rules === null) return { remove: begun, keep: [] };
  const others = batches.filter(({ isBeingRemoved }) => !isBeingRemoved);
  const newest = newestOfCatalogs(others, catalogs, rules.keepLast);
  const patterns = rules.keep.map(patternOf);
  const whyKept = ({ batch }: T): string | null => {
    if (patterns.some((pattern) => pattern.test(batch))) return 'named by --keep';
    if (rules.keepLast === 0) return null;
    if (!catalogs.has(batch)) return 'its catalog is unknown, and --keep-last counts by catalog';
    return newest.has(batch) ? `among the last ${rules.keepLast} of its catalog` : null;
  };
  const choice: Choice<T> = { remove: begun, keep: [] };
  for (const batch of others) {
    if (now - batch.writtenAt <= rules.olderThanMs) continue;
    const why = whyKept(batch);
    if (why === null) choice.remove.push(batch);
    else choice.keep.push({ batch: batch.batch, why });
  }
  return choice;
}

function newestOfCatalogs(
  batches: readonly SeenBatch[],
  catalogs: ReadonlyMap<string, string>,
  most: number,
): Set<string> {
  const counts = new Map<string, number>();
  const newest = new Set<string>();
  for (const { batch } of [...batches].sort((a, b) => b.writtenAt - a.writtenAt)) {
    const catalog = catalogs.get(batch);
    if (catalog === undefined) continue;
    const before = counts.get(catalog) ?? 0;
    if (before < most) newest.add(batch);
    counts.set(catalog, before + 1);
  }
  return newest;
}

const patternOf = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((text) => text.replace(/[^A-Za-z0-9]/g, '\\$&'))
      .join('.*')}$`,
  );
