import { IdempotencyStrategy, Storage } from '@google-cloud/storage';
import { UserError } from '../domain/user-error.ts';
import { Crc32c } from './crc32c.ts';
import { checkObjectName } from './object-name.ts';

/** @throws UserError for any URL but `gs://bucket` and `gs://bucket/prefix` */
export function bucketAndPrefix(url: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:\/(.*?)\/?)?$/.exec(url) ?? [];
  if (bucket === undefined) {
    throw new UserError(`store: expected gs://bucket or gs://bucket/prefix, found ${JSON.stringify(url)}`);
  }
  return { bucket, prefix: prefix === '' ? '' : `${checkObjectName(prefix)}/` };
}

/** On a requester-pays bucket every request names the project to bill. That is the process's setting, not the batch's. */
export const payer = () => {
  const userProject = process.env.PIXART_USER_PROJECT;
  return userProject ? { userProject } : {};
};

/** Where the emulator listens; `undefined` if requests go to Cloud Storage. */
export const emulatorUrl = (): string | undefined =>
  process.env.STORAGE_EMULATOR_HOST?.replace(/^(?!https?:\/\/)/, 'http://').replace(/\/$/, '');

/**
 * How long a call may take, including an upload that is not resumable. The library's own limit, a minute, gets lost on
 * its way, and without one a call whose answer breaks in the middle never settles
 * (findings/download-cut-short-never-settles.sh).
 */
export const ANSWER_MS = 180_000;

/**
 * A client that retries every call.
 *
 * Every write of this store is idempotent, so all of them may be retried. They must be: with the library's default strategy, one
 * write without a precondition, such as `replace`, ends the retries of all calls of its client
 * (findings/one-save-ends-retries.sh).
 *
 * Retries are bounded by number, not by time: a call that fails after its time is up, as after a clock jump or a
 * long-dead connection, would never settle (findings/late-retry-never-settles.sh).
 */
export function makeClient(): Storage {
  const emulator = emulatorUrl();
  const client = new Storage({
    ...(emulator && { apiEndpoint: emulator }),
    crc32cGenerator: () => new Crc32c(),
    timeout: ANSWER_MS,
    retryOptions: { idempotencyStrategy: IdempotencyStrategy.RetryAlways, totalTimeout: Number.POSITIVE_INFINITY },
  });
  // The library takes the variable as the base of every path and so drops /storage/v1, where emulators answer.
  if (emulator) client.baseUrl = `${emulator}/storage/v1`;
  return client;
}
