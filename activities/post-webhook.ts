import { Webhook } from 'standardwebhooks';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import type { WebhookDelivery } from '../workflows/contract/webhook.ts';
import { attemptFailure } from './attempt-failure.ts';
import { MessageWaits, type Post, posted } from './posted.ts';

/**
 * The activity that posts one event, signed as the Standard Webhooks specification says (version 1, HMAC-SHA256;
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md). The secret stays in this
 * process: neither the workflow nor an error knows it.
 *
 * The activity throws ApplicationFailure: to be tried again where the receiver cannot be reached or does not answer
 * 2xx, or the secret is missing; final where it answers 410 or may not be posted to, and for anything else.
 *
 * @param secret `whsec_` and base64; without one nothing is sent
 */
export function createPostWebhook(secret: string | undefined, post: Post) {
  return async function postWebhook(delivery: WebhookDelivery): Promise<void> {
    try {
      await deliver(delivery, secret, post);
    } catch (error) {
      throw attemptFailure(error, (found) => found instanceof MessageWaits);
    }
  };
}

async function deliver({ url, id, event }: WebhookDelivery, secret: string | undefined, post: Post): Promise<void> {
  const receiver = checkWebhookUrl(url);
  const fault = secretFault(secret);
  if (fault !== null) throw new MessageWaits(`${fault}; the event waits: set the secret and restart the orchestrator`);
  const body = JSON.stringify(event);
  const now = new Date();
  await posted(
    post,
    receiver,
    {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret!).sign(id, now, body),
    },
    body,
  );
}

/** What is wrong with the secret that signs events; `null` if nothing is. */
export function secretFault(secret: string | undefined): string | null {
  const found = secretFound(secret);
  if (found === null) return null;
  return `PIXART_WEBHOOK_SECRET: expected "whsec_" and base64 of 24 to 64 bytes in the environment of the orchestrator, found ${found}`;
}

function secretFound(secret: string | undefined): string | null {
  if (!secret) return 'none';
  const [, base64] = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret) ?? [];
  if (base64 === undefined) return 'something else';
  const { length } = Buffer.from(base64, 'base64');
  return length < 24 || length > 64 ? `${length} bytes` : null;
}
