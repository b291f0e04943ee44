import type { Job } from '../domain/job.ts';
import type { Summaries } from '../domain/summaries.ts';
import { damaged } from '../records/damaged.ts';
import { planFile, readJobs } from '../records/plan-and-receipts.ts';
import type { OpenStore } from '../store/index.ts';
import type { ReadShardInput } from '../workflows/contract/activities.ts';
import { plain } from '../workflows/contract/markdown.ts';
import type { JobSummary } from '../workflows/contract/plan.ts';

/** Temporal's UI shows one line, and every job's stays in the history. */
const SUMMARY_LENGTH = 60;

/** Of a longer id the end is shown, which tells images of one folder apart. */
const ID_BYTES = 200;
const ID_END = 40;

/** The activity that tells a shard's workflow its jobs, as far as it needs them. */
export function createReadShard(openStore: OpenStore, summaries: Summaries = 'prompts') {
  const summaryOf = ({ id, prompt }: Job): string =>
    summaries === 'ids' ? shownId(id) : `${shownId(id)}: ${plain(shortened(prompt))}`;
  return async function readShard({ store: url, shard, jobs: planned }: ReadShardInput): Promise<JobSummary[]> {
    const store = await openStore(url);
    const jobs = await readJobs(store, shard);
    if (planned !== undefined && jobs.length !== planned) {
      throw damaged(planFile(store, shard, `${planned} jobs, one a line`), null, `${jobs.length}`);
    }
    return jobs.map((job) => ({ id: job.id, priority: job.priority, summary: summaryOf(job) }));
  };
}

const shownId = (id: string): string => (Buffer.byteLength(id) > ID_BYTES ? `…${[...id].slice(-ID_END).join('')}` : id);

/** Cut between two characters, never within a surrogate pair. */
function shortened(prompt: string): string {
  const characters = [...prompt.replace(/\s+/g, ' ').slice(0, 2 * SUMMARY_LENGTH)];
  return characters.length > SUMMARY_LENGTH
    ? `${characters.slice(0, SUMMARY_LENGTH - 1).join('')}…`
    : characters.join('');
}
