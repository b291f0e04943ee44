import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Post } from '../activities/index.ts';
import { receiverOf } from '../domain/receiver.ts';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import type { Allowance } from './allowance.ts';
import { isPublicAddress } from './public-address.ts';
import { refusal } from './refusal.ts';

const ANSWER_MS = 15_000;

/**
 * Checks whether a worker may send messages to a receiver. Addresses of Slack and Teams are the worker's own, and are checked when
 * it posts to them.
 *
 * @throws UserError unless it is allowed
 */
export function checkReceiver(allowance: Pick<Allowance, 'origins' | 'mail'>, text: string): void {
  const receiver = receiverOf(text);
  if (receiver.kind === 'webhook') checkWebhook(allowance, text);
  if (receiver.kind === 'mail') for (const address of receiver.to) checkRecipient(allowance, address);
}

function checkRecipient({ mail }: Pick<Allowance, 'mail'>, address: string): void {
  const lower = address.toLowerCase();
  const domain = lower.slice(lower.lastIndexOf('@') + 1);
  if (mail !== null && !mail.includes(lower) && !mail.includes(domain)) throw refusal('webhook', `mailto:${address}`);
}

/**
 * Checks whether a worker may post to an address, by its text alone: its name may still resolve to an address that is not allowed.
 *
 * @throws UserError unless it is allowed
 */
export function checkWebhook({ origins }: Pick<Allowance, 'origins'>, address: string): void {
  const { protocol, hostname, origin } = checkWebhookUrl(address);
  const isAllowed = origins === null ? protocol === 'https:' && mayBePublic(hostname) : origins.includes(origin);
  if (!isAllowed) throw refusal('webhook', origin);
}

function mayBePublic(hostname: string): boolean {
  const address = withoutBrackets(hostname);
  return isIP(address) === 0 ? !/(^|\.)localhost\.?$/.test(hostname) : isPublicAddress(address);
}

/**
 * Posts to allowed addresses alone. If no host is named, the connection goes to the very address that was checked, so
 * that a change of the name's DNS record a moment later does not matter; redirects are not followed.
 */
export const allowedPost =
  (allowance: Pick<Allowance, 'origins'>, resolve = addressesOf): Post =>
  async (url, headers, body) => {
    checkWebhook(allowance, url.href);
    if (allowance.origins !== null) return postTo(null, url, headers, body);
    const found = await resolve(withoutBrackets(url.hostname));
    const addresses = found.filter(({ address }) => isPublicAddress(address));
    if (addresses.length === 0)
      throw refusal('webhook', url.origin, 'a name that resolves to an address that is not public');
    return postTo(addresses, url, headers, body);
  };

const addressesOf = (hostname: string): Promise<LookupAddress[]> => lookup(hostname, { all: true });

const withoutBrackets = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

/**
 * Posts to one of these addresses under the URL's host name, and returns the status of the response.
 *
 * @param addresses `null` to resolve the name as usual
 * @throws Error if nothing answers there
 */
export function postTo(
  addresses: LookupAddress[] | null,
  url: URL,
  headers: Record<string, string>,
  body: string,
): Promise<number> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      ...(addresses !== null && { lookup: answering(addresses) }),
      // A connection kept for later requests would bypass the check.
      agent: false,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    asked.on('error', reject);
    asked.on('response', (answer) => {
      answer.destroy();
      resolve(answer.statusCode ?? 0);
    });
    asked.end(body);
  });
}

/** A DNS lookup that always returns these addresses. */
const answering =
  (addresses: LookupAddress[]): LookupFunction =>
  (_hostname, { all }, callback) => {
    const [{ address, family }] = addresses as [LookupAddress];
    if (all) callback(null, addresses);
    else callback(null, address, family);
  };
