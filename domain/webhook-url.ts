import { UserError } from './user-error.ts';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * The URL that a batch calls. Anyone who sees the batch in Temporal sees it, so it must not contain secrets: the receiver
 * recognises us by the signature.
 *
 * @throws UserError unless it is https (or http on this machine) without a user name or password
 */
export function checkWebhookUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
  if (url !== null && isSafe && url.username === '' && url.password === '' && text.length <= 2_000) return url;
  const found = url === null ? 'something that is not a URL' : `${url.protocol}//${url.host}`;
  throw new UserError(
    `webhook: expected https://… (http:// on this machine only) without user name and password, at most 2,000 characters, found ${found}`,
  );
}
