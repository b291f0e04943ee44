import { defineSearchAttributeKey } from '@temporalio/common';

/**
 * The counts of a batch in listings: three of type Int, as many as the development server allows. They must be
 * registered on the server.
 */
export const PIXART_TOTAL = defineSearchAttributeKey('PixartTotal', 'INT');
export const PIXART_DONE = defineSearchAttributeKey('PixartDone', 'INT');
export const PIXART_FAILED = defineSearchAttributeKey('PixartFailed', 'INT');

export const SEARCH_ATTRIBUTES = [PIXART_TOTAL, PIXART_DONE, PIXART_FAILED];
