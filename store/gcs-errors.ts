import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';
import { knownRefusal } from './gcs-refusals.ts';
import { StoreDenied, StoreUnavailable } from './object-store.ts';

/** What was being done, and which permissions of Cloud Storage it needs. */
export type Doing = { what: string; permissions: string };

/** The HTTP status in any of the shapes that the client library throws. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, status, response } = error as { code?: unknown; status?: unknown; response?: { status?: unknown } };
  return [code, status, response?.status].map(Number).find((value) => value >= 100 && value < 600);
}

/** Cloud Storage's own error. For resumable uploads the client library keeps it apart from its own. */
type Answer = { message?: string; errors?: { reason?: string }[] };

function answerOf(error: unknown): Answer {
  const { response, errors, message } = (error ?? {}) as Answer & { response?: { data?: { error?: Answer } } };
  return response?.data?.error ?? (errors ? { errors } : inBody(message));
}

/** A failed download's message is the whole body of the response. */
function inBody(message: unknown): Answer {
  if (typeof message !== 'string' || !message.startsWith('{')) return {};
  try {
    return (JSON.parse(message) as { error?: Answer }).error ?? {};
  } catch {
    return {};
  }
}

/** Cloud Storage's name for the error, such as `notFound`; `''` if it gave none. */
const reasonOf = (error: unknown): string => answerOf(error).errors?.[0]?.reason ?? '';

/** Whether the caller's own precondition failed. */
export const isConditionFailed = (error: unknown): boolean =>
  statusOf(error) === 412 && reasonOf(error) !== 'orgPolicyConstraintFailed';

/**
 * Turns an error of the client library into one of the store's own. The original is left out: it may carry an access token or the
 * address of an upload session, and errors end up in logs and workflow histories.
 */
export function gcsError(url: string, bucket: string, doing: Doing, error: unknown): Error {
  if (error instanceof UserError || error instanceof StoreUnavailable) return error;
  const status = statusOf(error);
  const said = firstWords(error);
  const where = `store ${url}: could not ${doing.what}`;
  const { permissions } = doing;
  const known = knownRefusal({ where, bucket, permissions }, { status, reason: reasonOf(error), said });
  if (known !== null) return known;
  if (status === 404) {
    return new StoreDenied(
      `${where}: bucket "${bucket}" does not exist or is not visible to these credentials; check the name, or create it with: gcloud storage buckets create gs://${bucket}`,
    );
  }
  if (status === 401 || status === 403) {
    const [lacking = permissions] = /storage\.objects\.\w+/.exec(said) ?? [];
    return new StoreDenied(
      `${where}: access denied (${status}); the account needs ${lacking} on bucket "${bucket}", as in the role Storage Object User or ` +
        `in the role for its part of the fleet (infra/iam/README.md). Cloud Storage said: ${said}`,
    );
  }
  if (/default credentials|invalid_grant|invalid_rapt/.test(said)) {
    return new StoreDenied(
      `${where}: no valid Google Cloud credentials were found; run: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS to a key file`,
    );
  }
  return new StoreUnavailable(`${where}: ${status === undefined ? '' : `status ${status}, `}${said}`);
}

/** The message's first line, shortened, without secrets and with every address reduced to its host. */
function firstWords(error: unknown): string {
  const own = error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
  const message = answerOf(error).message ?? own;
  const firstLine = message.trim().split('\n')[0] ?? '';
  return withoutSecrets(firstLine)
    .replace(/(https?:\/\/[^/\s]+)\S*/g, '$1/…')
    .slice(0, 300);
}
