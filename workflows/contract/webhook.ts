import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';

/** What a batch tells whoever it is to tell: that it ended, one way or another, or that it paused itself. */
export type BatchEventType = 'batch.completed' | 'batch.cancelled' | 'batch.failed' | 'batch.paused';

/** What is posted, as JSON. */
export type BatchEvent = {
  type: BatchEventType;
  /** ISO 8601: when it happened. */
  timestamp: string;
  data: {
    batch: string;
    round: number;
    store: string;
    /** Name of the schedule that has started the batch. */
    schedule?: string;
    totals?: Totals;
    changes?: ChangeCounts;
    /** Object names in the store; no manifest where it ended without one, and `reason` says why. */
    manifest?: string | null;
    contactSheet?: string | null;
    /** Of one that failed: it would have come to more than a limit lets it, and nothing of it was planned. */
    refused?: true;
    /** Why it paused, failed, or has no manifest. */
    reason?: string;
  };
};

export type EventNews = Omit<BatchEvent['data'], 'batch' | 'round' | 'store' | 'schedule'>;

export type WebhookDelivery = {
  /** Whom: as `receiverOf` reads it. */
  url: string;
  /** The same whenever the event is told again, so that a receiver can tell. */
  id: string;
  event: BatchEvent;
};
