import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMailAddress, isMailDomain } from '../domain/receiver.ts';
import { UserError } from '../domain/user-error.ts';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import { storeUrl } from '../store/index.ts';

/**
 * The places that batches may have a worker open. Of each kind, only named places are allowed; if none is named, no folder is, but
 * every bucket, every https webhook at a public address, and mail to anyone.
 */
export type Allowance = {
  /** Folders and files, absolute. */
  paths: string[];
  /** `gs://bucket` or `gs://bucket/prefix`; `null` for all that the worker's account may open. */
  buckets: string[] | null;
  /** Of webhooks, such as `https://hooks.example.com`; `null` for https at public addresses. */
  origins: string[] | null;
  /** Of mail: addresses, and domains with all that are in them; `null` for any. */
  mail: string[] | null;
};

const EXPECTED =
  'expected a folder or file, gs://bucket or gs://bucket/prefix, the host of a webhook, such as https://hooks.example.com or http://localhost:8080, or ' +
  'mail recipients, such as mailto:studio.example or mailto:lead@studio.example';

/**
 * Reads the values of `--allow`: paths, `file:` and `gs://` URLs, webhook addresses without a path, and `mailto:` with
 * an address or a domain.
 *
 * @throws UserError for anything else
 */
export function allowanceOf(allowed: readonly string[]): Allowance {
  const urls = allowed.map(allowedUrl);
  const of = (...schemes: string[]) => urls.filter((url) => schemes.some((scheme) => url.startsWith(scheme)));
  const [files, buckets, hooks, mail] = [of('file:'), of('gs:'), of('https:', 'http:'), of(MAIL)];
  const other = urls.find((url) => ![files, buckets, hooks, mail].flat().includes(url));
  if (other !== undefined) throw notAllowable(other);
  return {
    paths: files.map(path),
    buckets: buckets.length === 0 ? null : buckets.map(bucket),
    origins: hooks.length === 0 ? null : hooks.map(origin),
    mail: mail.length === 0 ? null : mail.map(mailPlace),
  };
}

const MAIL = 'mailto:';

/** As a store's URL, which mail has none of. */
export const allowedUrl = (place: string): string => (place.startsWith(MAIL) ? place : storeUrl(place));

function mailPlace(url: string): string {
  const place = url.slice(MAIL.length);
  if (!isMailAddress(place) && !isMailDomain(place)) throw notAllowable(url);
  return place.toLowerCase();
}

function path(url: string): string {
  try {
    return resolve(fileURLToPath(url));
  } catch {
    throw notAllowable(url);
  }
}

/** Without the slash at its end, which a prefix may have. */
function bucket(url: string): string {
  const [, whole, prefix] = /^(gs:\/\/[a-z0-9][a-z0-9._-]+[a-z0-9](\/.+?)?)\/?$/.exec(url) ?? [];
  const parts = prefix?.slice(1).split('/') ?? [];
  if (whole === undefined || parts.some((part) => ['', '.', '..'].includes(part))) throw notAllowable(url);
  return whole;
}

/** Patterns for hosts, paths and queries are refused, because they would not be compared. */
function origin(url: string): string {
  const { origin, pathname, search, hash, hostname } = checkWebhookUrl(url);
  if (pathname !== '/' || search !== '' || hash !== '' || hostname.includes('*')) throw notAllowable(url);
  return origin;
}

const notAllowable = (url: string): UserError => new UserError(`--allow ${url}: ${EXPECTED}`);
