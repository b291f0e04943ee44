import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { type BucketConditions, startBucketConditions } from './bucket-conditions.ts';

const BUCKET = 'pixart-test';

/**
 * Sets up a bucket with Cloud Storage's preconditions for all tests of a file; processes that they start find it too.
 */
export function useBucket() {
  let emulator: BucketEmulator;
  let conditions: BucketConditions;

  beforeAll(async () => {
    emulator = await startBucketEmulator();
    await emulator.createBucket(BUCKET);
    conditions = await startBucketConditions(emulator.endpoint);
    vi.stubEnv('STORAGE_EMULATOR_HOST', conditions.endpoint);
  });

  afterAll(async () => {
    vi.unstubAllEnvs();
    await conditions.stop();
    await emulator.stop();
  });

  return {
    /** STORAGE_EMULATOR_HOST, unless a test changes it. */
    endpoint: () => conditions.endpoint,
    /** Makes every object that is there older. */
    age: (byMs: number) => conditions.age(byMs),
    /** The URL of an unused store in that bucket. Test files in one process share its open stores, by URL. */
    freshUrl: () => `gs://${BUCKET}/store ${randomUUID()}`,
  };
}
