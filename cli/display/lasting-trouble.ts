import type { Retrying } from '../../client/index.ts';

/** Trouble that lasts is reported again after a minute, then at doubling intervals up to this maximum. */
const AGAIN_MS = { first: 60_000, most: 600_000 };

/**
 * Returns a function that decides whether a log should report what holds a batch up now: when it begins, and now and then
 * while it lasts. If every image has its own reason, one is reported per minute.
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
