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

/** Temporal refuses a summary above 400 bytes, which include its payload, encrypted if everything else is. */
const SUMMARY_BYTES = 300;
const CUT_BY = 10;

/** Of a longer id the end is shown, which distinguishes images of one folder. */
const ID_BYTES = 200;
const ID_END = 40;

/** The activity that returns a shard's jobs to its workflow, as far as it needs them. */
export function createReadShard(openStore: OpenStore, summaries: Summaries = 'prompts') {
  const summaryOf = ({ id, prompt }: Job): string =>
    summaries === 'ids' ? shownId(id) : withPrompt(shownId(id), prompt);
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

/** With less of the prompt where its letters, or what is put around them, take too many bytes. */
function withPrompt(id: string, prompt: string): string {
  for (let length = SUMMARY_LENGTH; ; length -= CUT_BY) {
    const summary = `${id}: ${plain(shortened(prompt, length))}`;
    if (length <= CUT_BY || Buffer.byteLength(JSON.stringify(summary)) <= SUMMARY_BYTES) return summary;
  }
}

/** Cut between two characters, never within a surrogate pair. */
function shortened(prompt: string, length: number): string {
  const characters = [...prompt.replace(/\s+/g, ' ').slice(0, 2 * SUMMARY_LENGTH)];
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : characters.join('');
}
