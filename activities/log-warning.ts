import { log } from '@temporalio/activity';

/** Tells whoever reads the log of the worker. */
export const logWarning = (message: string): void => log.warn(message);
