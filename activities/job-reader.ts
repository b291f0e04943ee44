import { LRUCache } from 'lru-cache';
import type { Job } from '../domain/job.ts';
import { quoted } from '../domain/printable.mjs';
import { DamagedRecord, damaged } from '../records/damaged.ts';
import { planFile, readJobs } from '../records/plan-and-receipts.ts';
import type { ObjectStore } from '../store/index.ts';

/** Shards kept at once: those that one worker's queues are likely to be in. */
const KEPT = 8;

/** Finds a job by its place in a batch's plan: the shard's object name and the line in it, counted from 0. */
type JobReader = (store: ObjectStore, shard: string, index: number) => Promise<Job>;

/**
 * A reader that keeps the shards it used last, so that one of 500 jobs is fetched once, not 500 times. A shard that is
 * damaged is read a second time: in a folder, only its content shows that a disk or a cable failed once.
 *
 * @param isRight whether a job can be one that was planned; any, unless it is given
 */
export function createJobReader(isRight: (job: Job) => boolean = () => true): JobReader {
  const kept = new LRUCache<string, Promise<Job[]>>({ max: KEPT });

  async function readOnce(store: ObjectStore, shard: string): Promise<Job[]> {
    const jobs = await readJobs(store, shard);
    const wrong = jobs.findIndex((job) => !isRight(job));
    if (wrong < 0) return jobs;
    const file = planFile(store, shard, 'a job whose render key is that of its image');
    throw damaged(file, wrong + 1, `the key of another (job ${quoted(jobs[wrong]!.id)})`);
  }

  const read = (store: ObjectStore, shard: string): Promise<Job[]> =>
    readOnce(store, shard).catch((error: unknown) => {
      if (!(error instanceof DamagedRecord)) throw error;
      return readOnce(store, shard);
    });

  function jobs(store: ObjectStore, shard: string): Promise<Job[]> {
    const key = `${store.url} ${shard}`;
    const found = kept.get(key) ?? read(store, shard);
    kept.set(key, found);
    found.catch(() => kept.delete(key));
    return found;
  }

  return async (store, shard, index) => {
    const job = (await jobs(store, shard))[index];
    if (job !== undefined) return job;
    throw damaged(planFile(store, shard, 'a job'), index + 1, 'none');
  };
}
