import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { type BucketConditions, startBucketConditions } from './bucket-conditions.ts';

const BUCKET = 'pixart-test';

/**
 * Gives all tests of a file a bucket that keeps the conditions of Cloud Storage; processes that they start find it too.
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
    /** What STORAGE_EMULATOR_HOST is, where a test does not change it. */
    endpoint: () => conditions.endpoint,
    /** Makes all that is there so much older than it is. */
    age: (byMs: number) => conditions.age(byMs),
    /** Of a store in that bucket which nobody has used before. Files that share a process share its open stores, by their URLs. */
    freshUrl: () => `gs://${BUCKET}/store ${randomUUID()}`,
  };
}
