import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';

/** The events that a batch reports: its end, one way or another, or that it paused itself. */
export type BatchEventType = 'batch.completed' | 'batch.cancelled' | 'batch.failed' | 'batch.paused';

/** The event as posted, in JSON. */
export type BatchEvent = {
  type: BatchEventType;
  /** ISO 8601: when it happened. */
  timestamp: string;
  data: {
    batch: string;
    round: number;
    store: string;
    /** Name of the schedule that started the batch. */
    schedule?: string;
    totals?: Totals;
    changes?: ChangeCounts;
    /** Object names in the store. Without a manifest, `reason` says why there is none. */
    manifest?: string | null;
    contactSheet?: string | null;
    /** For a failed batch: it would have exceeded a limit, and was not planned. */
    refused?: true;
    /** Why it paused, failed, or has no manifest. */
    reason?: string;
  };
};

export type EventNews = Omit<BatchEvent['data'], 'batch' | 'round' | 'store' | 'schedule'>;

export type WebhookDelivery = {
  /** The receiver: see `receiverOf`. */
  url: string;
  /** The same each time an event is sent, so that receivers can detect repetitions. */
  id: string;
  event: BatchEvent;
};
