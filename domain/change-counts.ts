/** How a catalog's jobs differ from those of the previous batch, by their render keys. */
export type ChangeCounts = { since: string; changed: number; added: number; removed: number; unchanged: number };

/** `since night-1: 3 changed, 1 new, 1 gone, 19 unchanged` */
export function changesText({ since, changed, added, removed, unchanged }: ChangeCounts): string {
  return `since ${since}: ${changed} changed, ${added} new, ${removed} gone, ${unchanged} unchanged`;
}
