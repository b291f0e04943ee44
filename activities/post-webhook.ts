import { ApplicationFailure } from '@temporalio/common';
import { Webhook } from 'standardwebhooks';
import { UserError } from '../domain/user-error.ts';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import type { WebhookDelivery } from '../workflows/contract/webhook.ts';
import { attemptFailure } from './attempt-failure.ts';

/**
 * Posts to an address and gives the status of its answer. It follows no redirection: whoever signs for one address must not be sent on to
 * another.
 *
 * @throws UserError where the address may not be posted to
 * @throws Error where it cannot be reached or does not answer
 */
export type Post = (url: URL, headers: Record<string, string>, body: string) => Promise<number>;

/**
 * The activity that posts one event, signed as the Standard Webhooks specification says (version 1, HMAC-SHA256;
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). The secret stays in this
 * process: neither the workflow nor an error knows it.
 *
 * The activity throws ApplicationFailure: to be tried again where the receiver cannot be reached or does not answer 2xx, or the secret is
 * missing; final where it answers 410 or may not be posted to, and for anything else.
 *
 * @param secret `whsec_` and base64; without one nothing is sent
 */
export function createPostWebhook(secret: string | undefined, post: Post) {
  return async function postWebhook(delivery: WebhookDelivery): Promise<void> {
    try {
      await deliver(delivery, secret, post);
    } catch (error) {
      throw attemptFailure(error, (found) => found instanceof WebhookWaits);
    }
  };
}

/** The receiver, or a person who has to set the secret, may put it right while the event waits. */
class WebhookWaits extends Error {
  override readonly name = 'WebhookWaits';
}

async function deliver({ url, id, event }: WebhookDelivery, secret: string | undefined, post: Post): Promise<void> {
  const receiver = checkWebhookUrl(url);
  const signer = signerOf(secret);
  const body = JSON.stringify(event);
  const now = new Date();
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': signer.sign(id, now, body),
  };
  const status = await post(receiver, headers, body).catch((error: unknown) => {
    if (error instanceof UserError) throw error;
    throw new WebhookWaits(`webhook: ${receiver.host} cannot be reached: ${causeOf(error)}`);
  });
  if (status >= 200 && status < 300) return;
  const message = `webhook: expected ${receiver.host} to answer 2xx, found ${status}`;
  // The specification's way of saying that nothing more is wanted.
  if (status === 410) throw ApplicationFailure.nonRetryable(message, 'WebhookGone');
  throw new WebhookWaits(message);
}

function signerOf(secret: string | undefined): Webhook {
  const expected =
    'PIXART_WEBHOOK_SECRET: expected "whsec_" and base64 of 24 to 64 bytes in the environment of the orchestrator';
  const fault = (found: string) =>
    new WebhookWaits(`${expected}, found ${found}; set it and start the orchestrator again: the event waits`);
  if (!secret) throw fault('none');
  const [, base64] = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret) ?? [];
  if (base64 === undefined) throw fault('something else');
  const { length } = Buffer.from(base64, 'base64');
  if (length < 24 || length > 64) throw fault(`${length} bytes`);
  return new Webhook(secret);
}

/** A code or name alone says what happened; the message of an error may have the address in it. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string' && error.name !== 'AbortError') return error.code;
  return error.cause instanceof Error ? error.cause.name : error.name;
}
