import { defineSearchAttributeKey } from '@temporalio/common';

/** Three of type Int: as many as the local development server takes. */
export const PIXART_TOTAL = defineSearchAttributeKey('PixartTotal', 'INT');
export const PIXART_DONE = defineSearchAttributeKey('PixartDone', 'INT');
export const PIXART_FAILED = defineSearchAttributeKey('PixartFailed', 'INT');

export const SEARCH_ATTRIBUTES = [PIXART_TOTAL, PIXART_DONE, PIXART_FAILED];
