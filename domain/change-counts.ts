/** How a catalog's jobs differ from those of the batch before. The render key decides: what it leaves out is no change. */
export type ChangeCounts = { since: string; changed: number; added: number; removed: number; unchanged: number };

/** `since night-1: 3 changed, 1 new, 1 gone, 19 as before` */
export function changesText({ since, changed, added, removed, unchanged }: ChangeCounts): string {
  return `since ${since}: ${changed} changed, ${added} new, ${removed} gone, ${unchanged} as before`;
}
