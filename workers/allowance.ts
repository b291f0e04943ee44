import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { checkWebhookUrl } from '../domain/webhook-url.ts';
import { storeUrl } from '../store/index.ts';

/**
 * What a worker opens for those who may start batches. Of each kind only what is named is allowed; where nothing of a kind is named, no
 * folder is, every bucket, and every webhook with https at a public address.
 */
export type Allowance = {
  /** Folders and files, absolute. */
  paths: string[];
  /** `gs://bucket` or `gs://bucket/prefix`; `null` for all that the worker's account may open. */
  buckets: string[] | null;
  /** Of webhooks, such as `https://hooks.example.com`; `null` for https at public addresses. */
  origins: string[] | null;
};

const EXPECTED =
  'expected a folder or file, gs://bucket or gs://bucket/prefix, or where webhooks are, such as https://hooks.example.com or http://localhost:8080';

/**
 * Reads what `--allow` was given: paths, `file:` and `gs://` URLs, and addresses of webhooks without a path.
 *
 * @throws UserError for what is none of these
 */
export function allowanceOf(allowed: readonly string[]): Allowance {
  const urls = allowed.map(storeUrl);
  const of = (...schemes: string[]) => urls.filter((url) => schemes.some((scheme) => url.startsWith(scheme)));
  const [files, buckets, hooks] = [of('file:'), of('gs:'), of('https:', 'http:')];
  const other = urls.find((url) => ![files, buckets, hooks].flat().includes(url));
  if (other !== undefined) throw notAllowable(other);
  return {
    paths: files.map(path),
    buckets: buckets.length === 0 ? null : buckets.map(bucket),
    origins: hooks.length === 0 ? null : hooks.map(origin),
  };
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

/** A host that a pattern would stand for, a path and a query are nothing that is compared. */
function origin(url: string): string {
  const { origin, pathname, search, hash, hostname } = checkWebhookUrl(url);
  if (pathname !== '/' || search !== '' || hash !== '' || hostname.includes('*')) throw notAllowable(url);
  return origin;
}

const notAllowable = (url: string): UserError => new UserError(`--allow ${url}: ${EXPECTED}`);
