import type { RetryPolicy } from '@temporalio/common';
import type { Size } from '../../domain/size.ts';

/**
 * How many images of one size a worker takes, across all its task queues: each of its renderer's child processes
 * computes up to `atOnce`, while as many as one of them computes have their plans read and objects looked up, or are
 * being stored.
 */
export const imagesInHand = (children: number, atOnce = 1): number => (children + 1) * atOnce;

/**
 * How long one image may occupy the slowest device that we support, a CPU with two cores. The render worker enforces it, and ends a
 * renderer whose device hangs.
 */
export const RENDER_HOURS: Record<Size, number> = { '256': 0.5, '512': 1, '1024': 3, '2k': 12, '4k': 24 };

/** How much work on a long image a lost machine may cost. An image that is denoised in less time has no checkpoint. */
export const CHECKPOINT_SECONDS = 60;

/** How long a finished picture is kept for a store that refuses it; the same time that a batch's own steps wait for the store. */
export const STORING_HOURS = 24;

/** A render worker that holds this many bytes of pictures that their stores refuse takes no more images. */
export const HELD_BYTES = 512 * 2 ** 20;

/** What each of them counts for at least, since each keeps an attempt open: a worker holds at most a thousand. */
export const HELD_AT_LEAST_BYTES = 512 * 2 ** 10;

/**
 * The longest that one attempt may take, including its wait for the device. A worker that serves every size holds
 * imagesInHand of each, and its child processes take them first come, first served: the last one's wait plus its own
 * render is at most the sum of all, which is longest with one child. Then its store may refuse it. This is a last
 * resort, for a worker that sends heartbeats and does nothing else; a dead one is noticed by its missing heartbeats.
 * The wait in the task queue is unlimited: a night's work may wait for the night's machines.
 */
export const RENDER_START_TO_CLOSE =
  `${imagesInHand(1) * Object.values(RENDER_HOURS).reduce((a, b) => a + b) + STORING_HOURS} hours` as const;

/**
 * How long a worker encodes texts before it reports how far it has got, so that pictures of the first texts need not
 * wait for the last, and batches take turns.
 */
export const ENCODE_SECONDS = 20;

/** One attempt, including the time to load the largest encoder from a slow disk. A text that hangs is ended by its worker. */
export const ENCODE_START_TO_CLOSE = '1 hour';

/** How often a shard that waits for captions checks whether any worker encodes. */
export const ENCODERS_SEEN_SECONDS = 20;

/** The interval doubles each time, up to this, because a history has room for only 51,200 events. */
export const ENCODERS_SEEN_AT_MOST_SECONDS = 600;

/** How long to wait for a caption that all attempts of a picture found missing, before the picture is tried again anyway. */
export const CAPTION_MINUTES = 30;

/** How many times to try encoding the texts of a picture that still does not find their captions. */
export const CAPTION_TRIES = 3;

/** Workers send at most one a second. Half a minute without one means a dead worker or an isolated machine, not a slow step. */
export const RENDER_HEARTBEAT_TIMEOUT = '30 seconds';

/** The failure type of planning if a batch would exceed a limit. */
export const LIMIT_REACHED = 'LimitReached';

/**
 * The failure type of an attempt whose worker lacks the key that encrypted its input. The worker then stops
 * (workers/key-use.ts).
 */
export const KEY_MISSING = 'KeyMissing';

/** The time it has to stop, before the job goes back into the task queue; doubled each time, up to the maximum. */
export const KEY_MISSING_SECONDS = 5;
export const KEY_MISSING_AT_MOST_SECONDS = 600;

/**
 * The activity throws permanent errors (an impossible job, a bundle that is not the batch's) as non-retryable. For all
 * others, seven failures span about ten minutes: long enough for a store or a driver to recover, short enough that an
 * image that kills its renderer every time does not block a device all night. The activity counts them itself, because
 * the server's count includes attempts that say nothing about the image: those that a person paused or reset, that were
 * handed back, and that died with their workers.
 */
export const RENDER_ATTEMPTS = 7;

/**
 * Attempts lost with their workers. Repeated preemptions must not fail an image, but an image that kills its whole
 * worker each time, as in a container that runs out of memory, must not be retried all night. This many span about an
 * hour and a half.
 */
export const RENDER_LOST_ATTEMPTS = 20;

/**
 * How many of them may have been lost beside other images, any of which may have been the reason. After that many, the
 * image is made alone, and further losses count only if it was alone.
 */
export const RENDER_LOST_BESIDE_OTHERS = 3;

/**
 * The server's own limit, for render workers of earlier versions, which do not count themselves. Far above what we
 * count: an image may be lost again and again while it waits behind others that kill their workers.
 */
const RENDER_ATTEMPTS_AT_MOST = 1_000;

/** The pause after an image's first failure, the factor for each further one, and the maximum. */
export const RENDER_PAUSE_SECONDS = { first: 2, factor: 3, most: 300 };

export const RENDER_RETRY: RetryPolicy = {
  nonRetryableErrorTypes: [KEY_MISSING],
  initialInterval: `${RENDER_PAUSE_SECONDS.first} seconds`,
  backoffCoefficient: RENDER_PAUSE_SECONDS.factor,
  maximumInterval: `${RENDER_PAUSE_SECONDS.most} seconds`,
  maximumAttempts: RENDER_ATTEMPTS_AT_MOST,
};

/** For encoding texts. Render workers deal with those that could not be encoded. */
export const ENCODE_RETRY: RetryPolicy = { ...RENDER_RETRY, maximumAttempts: RENDER_ATTEMPTS };

/**
 * The orchestrator's own steps read and write the store. They are retried for a day: a store that is down overnight
 * must not fail a batch whose images are all there.
 */
export const ORCHESTRATE_SCHEDULE_TO_CLOSE = '1 day';

/** For 100,000 jobs, on a busy machine. */
export const ORCHESTRATE_START_TO_CLOSE = '30 minutes';

/** They send a heartbeat every two seconds, but parsing a large piece may block the process for longer. */
export const ORCHESTRATE_HEARTBEAT_TIMEOUT = '30 seconds';

export const ORCHESTRATE_RETRY: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
};

/**
 * A cancelled batch ends within a minute, even if other services are down: images in progress have this long to stop or
 * finish. Those that take longer are left to their workers, and a retry finds them in the store.
 */
export const CANCELLED_RENDERS_SECONDS = 15;

/** How long writing receipts and manifest is then tried. An attempt in progress after that continues while its store answers. */
export const LAST_TRIES_SECONDS = 10;

/** Fits into that time. */
export const LAST_TRIES_RETRY: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 1.5,
  maximumAttempts: 4,
};

/** How long a cancelled attempt waits for an answer of the store. */
export const STORE_SILENCE_SECONDS = 10;

/** Thumbnails of 100,000 large images take one process hours; another attempt does not repeat finished ones. */
export const SHEET_PAGE_START_TO_CLOSE = '12 hours';

/** How many of an orchestrator's sixteen activity slots may be used for pages, since batches need them too. */
export const SHEET_PAGES_AT_ONCE = 4;

/** A receiver that is down over a weekend still gets the message on Monday. */
export const WEBHOOK_SCHEDULE_TO_CLOSE = '3 days';

export const WEBHOOK_START_TO_CLOSE = '30 seconds';

/** A message for people needs the batch's results, which may be large, and a resized picture. */
export const MESSAGE_START_TO_CLOSE = '10 minutes';

export const WEBHOOK_RETRY: RetryPolicy = {
  initialInterval: '2 seconds',
  backoffCoefficient: 3,
  maximumInterval: '30 minutes',
};

/**
 * How many shards of one size run at once. With one, devices would idle between a shard's last image and the next one's
 * first; more would only split the same window over more workflows.
 */
export const SHARDS_AT_ONCE = 2;

/** Temporal allows 2,000 pending activities per workflow. */
export const MAX_WINDOW = 2_000;

/** The longest pause between two checks whether a terminated run's shard has ended. */
export const ID_IN_USE_SECONDS = 30;

/**
 * The number of reports from a shard to its batch if images are fast and succeed. Each costs up to four events in the
 * batch's history.
 */
export const REPORTS_PER_SHARD = 10;

/** Fewer jobs are not worth a report, which costs as much as two images; queries to a batch count every image anyway. */
export const REPORT_JOBS_AT_LEAST = 25;

/** An image that ends this long after the last report is reported immediately. */
export const REPORT_EVERY_SECONDS = 30;

export const RECENT_FAILURES = 5;

/** The maximum length of a failure's reason. A shard's five hundred share one payload, which Temporal limits to 2 MB. */
export const REASON_CHARACTERS = 1_000;
