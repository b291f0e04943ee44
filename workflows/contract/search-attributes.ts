import { defineSearchAttributeKey } from '@temporalio/common';

/** What listings show of a batch: three of type Int, as many as the local development server takes. A server needs them registered. */
export const PIXART_TOTAL = defineSearchAttributeKey('PixartTotal', 'INT');
export const PIXART_DONE = defineSearchAttributeKey('PixartDone', 'INT');
export const PIXART_FAILED = defineSearchAttributeKey('PixartFailed', 'INT');

export const SEARCH_ATTRIBUTES = [PIXART_TOTAL, PIXART_DONE, PIXART_FAILED];
