/** TASK_QUEUE_TYPE_WORKFLOW and TASK_QUEUE_TYPE_ACTIVITY of Temporal's API. */
export const QUEUE_TYPE = { workflow: 1, activity: 2 };

/** Of Temporal's API; as `describeTaskQueue` tells it. */
type Poller = { identity?: string | null; lastAccessTime?: { seconds?: unknown } | null };

/** A worker asks for work at least once a minute, unless it has its hands full. */
const SEEN_MS = 90_000;

/** Identities of those who asked a queue for work lately. */
export const seenLately = (pollers: readonly Poller[], now: number): string[] =>
  pollers
    .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 >= now - SEEN_MS)
    .map(({ identity }) => identity ?? '');
