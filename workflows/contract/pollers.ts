/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
export const QUEUE_TYPE = { workflow: 1, activity: 2 };

/** From Temporal's API, as returned by `describeTaskQueue`. */
type Poller = { identity?: string | null; lastAccessTime?: { seconds?: unknown } | null };

/** A worker polls at least once a minute unless all its slots are in use. */
const SEEN_MS = 90_000;

/** Identities of a task queue's recent pollers. */
export const seenLately = (pollers: readonly Poller[], now: number): string[] =>
  pollers
    .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= now - SEEN_MS)
    .map(({ identity }) => identity ?? '');
