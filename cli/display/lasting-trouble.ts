import type { Retrying } from '../../client/index.ts';

/** What lasts is told again after a minute, then after twice as long each time, but at least this often. */
const AGAIN_MS = { first: 60_000, most: 600_000 };

/**
 * Makes a function that says of what holds a batch up whether a log should tell it now: when it begins, and now and then while it lasts.
 * Where each image has a reason of its own, one of them is told a minute.
 */
export function lastingTrouble(): (of: Retrying, now: number) => boolean {
  const told = new Map<string, { reason: string; at: number; againMs: number }>();
  return ({ activity, waitsForStore, isPaused, reason }, now) => {
    const kind = `${activity} ${waitsForStore} ${isPaused}`;
    const before = told.get(kind);
    const isNews = before?.reason !== reason;
    if (before !== undefined && now - before.at < (isNews ? AGAIN_MS.first : before.againMs)) return false;
    const againMs = before === undefined || isNews ? AGAIN_MS.first : Math.min(2 * before.againMs, AGAIN_MS.most);
    told.set(kind, { reason, at: now, againMs });
    return true;
  };
}
