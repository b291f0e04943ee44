/** What a batch's folder tells at a glance. */
export type SeenBatch = {
  batch: string;
  /** When anything was written into its folder last, in milliseconds since 1970. */
  writtenAt: number;
  /** Its removal was begun, and has not ended. */
  isBeingRemoved: boolean;
};

export type BatchRules = {
  olderThanMs: number;
  /** Ids, in which `*` stands for any letters. */
  keep: readonly string[];
  /** So many of each catalog stay, the newest. */
  keepLast: number;
};

/** Why a batch stays that is old enough to go. */
export type KeptBatch = { batch: string; why: string };

export type Choice<T extends SeenBatch> = { remove: T[]; keep: KeptBatch[] };

/**
 * Which batches go: those that are old enough and that no rule keeps, and those whose removal was begun.
 *
 * @param catalogs the URL of each batch's catalog, where that is known; nobody asks for it unless the last of each are kept
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
    if (!catalogs.has(batch)) return 'nothing tells which catalog it is of, and --keep-last counts by catalog';
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
