import type { ChangeCounts } from '../../domain/change-counts.ts';
import type { Totals } from '../../domain/receipt.ts';

/** What a batch tells its webhook: that it ended, one way or another, or that it paused itself. */
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
    totals?: Totals;
    changes?: ChangeCounts;
    /** Object names in the store. */
    manifest?: string;
    contactSheet?: string | null;
    /** Why it paused or failed. */
    reason?: string;
  };
};

export type EventNews = Omit<BatchEvent['data'], 'batch' | 'round' | 'store'>;

/** `id` is the same whenever the event is posted again, so that a receiver can tell. */
export type WebhookDelivery = { url: string; id: string; event: BatchEvent };
