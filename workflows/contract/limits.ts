import type { RetryPolicy } from '@temporalio/common';
import type { Size } from '../../domain/size.ts';

/**
 * How many images of one size a worker takes, of all its queues together: each of its renderer's children computes some at once, while as
 * many as one of them computes have their plans read and their objects looked for, or are stored.
 */
export const imagesInHand = (children: number, atOnce = 1): number => (children + 1) * atOnce;

/**
 * The longest one image may have the slowest device that we serve, a CPU with two cores, from its turn on. The render worker
 * keeps it, and ends a renderer whose device hangs.
 */
export const RENDER_HOURS: Record<Size, number> = { '256': 0.5, '512': 1, '1024': 3, '2k': 12, '4k': 24 };

/** What a lost machine may cost of an image that takes long; one that is denoised in less has no checkpoint. */
export const CHECKPOINT_SECONDS = 60;

/** The longest a finished picture is kept for a store that refuses it; as long as a batch's own steps wait for theirs. */
export const STORING_HOURS = 24;

/** A render worker that holds so many bytes of pictures which their stores refuse takes no more images. */
export const HELD_BYTES = 512 * 2 ** 20;

/** What each of them counts for at least, since an attempt goes on for it: a worker holds a thousand at most. */
export const HELD_AT_LEAST_BYTES = 512 * 2 ** 10;

/**
 * The longest one attempt may take, the wait for the device's turn included. A worker that serves every size holds
 * imagesInHand of each, and its children take them first come, first served: the last one's wait and its own render are
 * together at most all of these, whatever its size and longest with one child; then its store may refuse it. It is the last resort, for a worker that beats and does nothing else; one that dies is noticed by
 * its heartbeats. There is no limit on the wait in the queue: a night's work may wait for the night's machines.
 */
export const RENDER_START_TO_CLOSE =
  `${imagesInHand(1) * Object.values(RENDER_HOURS).reduce((a, b) => a + b) + STORING_HOURS} hours` as const;

/**
 * A worker encodes texts for so long, then says how far it has come: pictures of the first texts need not wait for the last, and
 * batches take turns.
 */
export const ENCODE_SECONDS = 20;

/** One attempt, to load the largest encoder from a slow disk included; a text that takes for ever is ended by its worker. */
export const ENCODE_START_TO_CLOSE = '1 hour';

/** How often a shard that waits for captions looks whether there is anybody to make them. */
export const ENCODERS_SEEN_SECONDS = 20;

/** It looks half as often each time, but at least this often: its history has room for 51,200 events. */
export const ENCODERS_SEEN_AT_MOST_SECONDS = 600;

/** The longest wait for the caption that a picture's every attempt has found missing, before it is tried again all the same. */
export const CAPTION_MINUTES = 30;

/** How often texts are encoded anew for a picture that still does not find their captions, or tried to be. */
export const CAPTION_TRIES = 3;

/** A worker sends one every second at most; half a minute of silence is a dead worker or a machine cut off, not a slow step. */
export const RENDER_HEARTBEAT_TIMEOUT = '30 seconds';

/** What planning fails with where a batch would come to more than a limit lets it. */
export const LIMIT_REACHED = 'LimitReached';

/** What an attempt fails with whose worker lacks the key that its input is encrypted with. The worker stops then (workers/key-use.ts). */
export const KEY_MISSING = 'KeyMissing';

/** The time that it has for that, before what it gave back goes into the queue again; twice as long each time, but this at most. */
export const KEY_MISSING_SECONDS = 5;
export const KEY_MISSING_AT_MOST_SECONDS = 600;

/**
 * Errors that say the same on every attempt (a job that is impossible, a bundle that is not the batch's) are thrown as not
 * retryable by the activity, which knows best. For the rest, seven failures span about ten minutes: long enough for a store
 * or a driver to come back, short enough that an image which kills its renderer every time does not hold a device for the
 * night. The activity counts them, because the server counts what says nothing about the image too: attempts that a person paused or
 * reset, that were handed back, and that died with their workers.
 */
export const RENDER_ATTEMPTS = 7;

/**
 * Machines that are taken away again and again must not cost an image; one that takes its whole worker with it each time, as a container
 * that runs out of memory does, must not go on for the night. These span about an hour and a half.
 */
export const RENDER_LOST_ATTEMPTS = 20;

/** The server's own limit, for render workers of an earlier version, which do not count for themselves. */
export const RENDER_ATTEMPTS_AT_MOST = 100;

/** After an image's first failure; each further one waits three times as long, up to the most. */
export const RENDER_PAUSE_SECONDS = { first: 2, factor: 3, most: 300 };

export const RENDER_RETRY: RetryPolicy = {
  nonRetryableErrorTypes: [KEY_MISSING],
  initialInterval: `${RENDER_PAUSE_SECONDS.first} seconds`,
  backoffCoefficient: RENDER_PAUSE_SECONDS.factor,
  maximumInterval: `${RENDER_PAUSE_SECONDS.most} seconds`,
  maximumAttempts: RENDER_ATTEMPTS_AT_MOST,
};

/** Of texts: whoever paints sees to those that could not be encoded. */
export const ENCODE_RETRY: RetryPolicy = { ...RENDER_RETRY, maximumAttempts: RENDER_ATTEMPTS };

/**
 * The orchestrator's own steps read and write the store. They go on for a day: a store that is away overnight must not
 * cost a batch whose images are all there.
 */
export const ORCHESTRATE_SCHEDULE_TO_CLOSE = '1 day';

/** For 100,000 jobs, on a busy machine. */
export const ORCHESTRATE_START_TO_CLOSE = '30 minutes';

/** They beat every two seconds. Parsing a large piece may hold the process for some of them. */
export const ORCHESTRATE_HEARTBEAT_TIMEOUT = '30 seconds';

export const ORCHESTRATE_RETRY: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 2,
  maximumInterval: '1 minute',
};

/**
 * A cancelled batch ends within a minute, whatever is away: images in hand have this long to stop or to be finished. What takes longer is
 * left to its worker, and found in the store by a retry.
 */
export const CANCELLED_RENDERS_SECONDS = 15;

/** Then receipts and manifest are tried for so long. An attempt that still works then goes on while its store answers. */
export const LAST_TRIES_SECONDS = 10;

/** These fit into it. */
export const LAST_TRIES_RETRY: RetryPolicy = {
  initialInterval: '1 second',
  backoffCoefficient: 1.5,
  maximumAttempts: 4,
};

/** An attempt that is cancelled waits no longer for one answer of a store. */
export const STORE_SILENCE_SECONDS = 10;

/** Thumbnails of 100,000 large images take hours of one process; what is made is not made again by another attempt. */
export const SHEET_PAGE_START_TO_CLOSE = '12 hours';

/** Of one orchestrator, whose sixteen turns batches need meanwhile. */
export const SHEET_PAGES_AT_ONCE = 4;

/** A receiver that is away over a weekend hears of the batch on Monday. */
export const WEBHOOK_SCHEDULE_TO_CLOSE = '3 days';

export const WEBHOOK_START_TO_CLOSE = '30 seconds';

/** A message for people reads what the batch came to, which is much of a large one, and makes a picture smaller. */
export const MESSAGE_START_TO_CLOSE = '10 minutes';

export const WEBHOOK_RETRY: RetryPolicy = {
  initialInterval: '2 seconds',
  backoffCoefficient: 3,
  maximumInterval: '30 minutes',
};

/**
 * Shards of one size that run at once. With one, the devices would idle between a shard's last image and the next one's
 * first; more only makes more workflows of the same window.
 */
export const SHARDS_AT_ONCE = 2;

/** Temporal allows 2,000 activities of one workflow to be pending. */
export const MAX_WINDOW = 2_000;

/** The longest pause between two looks whether the shard of a terminated run has ended. */
export const ID_IN_USE_SECONDS = 30;

/** Reports from a shard to its batch while all goes well and fast. Each costs up to four events in the batch's history. */
export const REPORTS_PER_SHARD = 10;

/** Fewer are not worth a report: it costs what two images cost, and who asks a batch hears of every image. */
export const REPORT_JOBS_AT_LEAST = 25;

/** An image that ends so long after the last report is reported at once. */
export const REPORT_EVERY_SECONDS = 30;

export const RECENT_FAILURES = 5;

/** Of one failure. A shard's five hundred travel in one payload, which Temporal limits to 2 MB. */
export const REASON_CHARACTERS = 1_000;
