import { beforeEach, expect, test } from 'vitest';
import { createJobReader } from '../../activities/job-reader.ts';
import { pipelineVersionOf } from '../../domain/render-key.ts';
import { PIPELINE_VERSION } from '../../models/pixart/index.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import { folderStore, planOf, tinyJob } from './rendering.ts';

const DIGEST = 'ab'.repeat(32);
const job = tinyJob(DIGEST);

let store: ObjectStore;
let shard: string;
let reads: number;

beforeEach(async () => {
  store = await folderStore();
  shard = await planOf(store, [job]);
  reads = 0;
});

/** The store, read over a cable that changes bytes for so many reads. */
function changing(change: (bytes: Buffer) => void, times: number): ObjectStore {
  const read: ObjectStore['read'] = async (...args) => {
    const bytes = Buffer.from(await store.read(...args));
    reads += 1;
    if (reads <= times) change(bytes);
    return bytes;
  };
  return new Proxy(store, { get: (_, name) => (name === 'read' ? read : Reflect.get(store, name)) });
}

const reader = () => createJobReader((read) => pipelineVersionOf(read, DIGEST, PIPELINE_VERSION) !== null);

/** From 7 to 6: still a row of a plan, of another picture. */
const changeSeed = (bytes: Buffer): void => {
  bytes[bytes.indexOf('"seed":7') + '"seed":'.length]! ^= 1;
};
const changeQuote = (bytes: Buffer): void => {
  bytes[bytes.indexOf('"seed"')]! ^= 1;
};

test.each([
  ['no JSON', changeQuote],
  ['another picture', changeSeed],
])('a plan that is read as %s once is read again', async (_, change) => {
  expect(await reader()(changing(change, 1), shard, 0)).toEqual(job);
  expect(reads).toBe(2);
});

test('a row whose render key is not its picture’s is named, and never painted under that key', async () => {
  const read = reader();
  const faulty = changing(changeSeed, 2);
  await expect(read(faulty, shard, 0)).rejects.toThrow(
    /1-00000\.jsonl.*, line 1 is damaged: expected a job whose render key is that of its image, found the key of another \(job "fox"\)/,
  );
  expect(reads).toBe(2);
  // What was wrong is not kept.
  expect(await read(faulty, shard, 0)).toEqual(job);
});

test('a plan that an earlier version of the pipeline made is taken', async () => {
  const twice = { ...job, renderKey: tinyJob(DIGEST).renderKey };
  await store.replace(shard, await encodeJobs([twice]), 'application/jsonl');
  expect(pipelineVersionOf(twice, DIGEST, PIPELINE_VERSION + 3)).toBe(PIPELINE_VERSION);
  expect(await reader()(store, shard, 0)).toEqual(twice);
});
