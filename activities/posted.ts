import { ApplicationFailure } from '@temporalio/common';
import { UserError } from '../domain/user-error.ts';

/**
 * Posts to an address and returns the status of the response. It follows no redirects: what is signed for one address must not be
 * sent to another.
 *
 * @throws UserError where the address may not be posted to
 * @throws Error where it cannot be reached or does not answer
 */
export type Post = (url: URL, headers: Record<string, string>, body: string) => Promise<number>;

/** The receiver, or a person who has to set a secret, may put it right while the message waits. */
export class MessageWaits extends Error {
  override readonly name = 'MessageWaits';
}

/**
 * Posts JSON until the receiver has taken it.
 *
 * @throws MessageWaits where it cannot be reached or does not answer 2xx
 * @throws ApplicationFailure, final, where it answers that it wants nothing more
 */
export async function posted(post: Post, url: URL, headers: Record<string, string>, body: string): Promise<void> {
  const status = await post(url, { 'content-type': 'application/json', ...headers }, body).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    throw new MessageWaits(`webhook: ${url.host} cannot be reached: ${causeOf(error)}`);
  });
  if (status >= 200 && status < 300) return;
  const message = `webhook: expected ${url.host} to answer 2xx, found ${status}`;
  // The specification's way of saying that nothing more is wanted, and Slack's of a channel that was archived.
  if (status === 410) throw ApplicationFailure.nonRetryable(message, 'WebhookGone');
  throw new MessageWaits(message);
}

/** A code or name alone says what happened; the message of an error may have the address in it. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string' && error.name !== 'AbortError') return error.code;
  return error.cause instanceof Error ? error.cause.name : error.name;
}
