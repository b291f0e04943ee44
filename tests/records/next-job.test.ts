import { expect, it } from 'vitest';
import type { Job } from '../../domain/job.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { renderKey } from '../../domain/render-key.ts';
import { nextJob } from '../../records/next-job.ts';
import { sampleJob } from '../images/sample-job.ts';

const basis = { bundleDigest: 'ab'.repeat(32), pipelineVersion: 1 };
const keyed = (job: Job, pipelineVersion = 1): Job => ({
  ...job,
  renderKey: renderKey(job, basis.bundleDigest, pipelineVersion),
});
const job = keyed(sampleJob);
const imageOf = ({ renderKey: key }: Job) => ({ renderKey: key }) as Receipt;
const rejecting = (...jobs: Job[]) => new Map([[job.id, new Set(jobs.map(({ renderKey: key }) => key))]]);
const corrections = (...jobs: Job[]) => new Map(jobs.map((corrected) => [corrected.id, corrected]));

it('a rejected picture never comes back, whatever the corrected catalog says', () => {
  const corrected = corrections(job);
  const planned = [job];
  for (let round = 0; round < 6; round++) {
    const last = planned.at(-1)!;
    const next = nextJob(last, imageOf(last), planned.slice(0, -1), { corrected, rejected: rejecting(last) }, basis)!;
    expect(planned.map((picture) => picture.renderKey)).not.toContain(next.renderKey);
    expect(next).toEqual(keyed({ ...job, seed: next.seed }));
    planned.push(next);
  }
});

it('a new seed replaces the noted one that was chosen from a grid', () => {
  const grid = { ...job, metadata: { 'choice:row': 'fox', 'choice:seed': '1' } };
  const next = nextJob(grid, imageOf(grid), [], { corrected: corrections(), rejected: rejecting(grid) }, basis)!;
  expect(next.metadata).toEqual({ 'choice:row': 'fox', 'choice:seed': String(next.seed) });
});

it('a rejected picture of an earlier version is not rendered again by this one', () => {
  const old = keyed(sampleJob, 0);
  const next = nextJob(old, imageOf(old), [], { corrected: corrections(job), rejected: rejecting(old) }, basis)!;
  expect(next.seed).not.toBe(job.seed);
});

it('an image that nobody rejected stays, and a row without one is planned as in the corrected catalog', () => {
  const edited = keyed({ ...job, prompt: 'something else' });
  const corrected = corrections(edited);
  const other = keyed({ ...job, seed: 1 });
  expect(nextJob(job, imageOf(job), [], { corrected, rejected: rejecting(other) }, basis)).toBeNull();
  expect(nextJob(job, undefined, [], { corrected, rejected: rejecting() }, basis)).toBe(edited);
  expect(nextJob(job, imageOf(job), [], { corrected, rejected: rejecting(job) }, basis)).toEqual(edited);
  expect(nextJob(job, undefined, [], { corrected: corrections(), rejected: rejecting() }, basis)).toBe(job);
});

it("a job that an earlier version planned but did not render gets the current pipeline's key", () => {
  const old = keyed(sampleJob, 0);
  expect(nextJob(old, undefined, [], { corrected: corrections(), rejected: rejecting() }, basis)).toEqual(job);
});

it('a copy keeps its planned name, whatever the corrected catalog or a new seed would make of it', () => {
  const named = { ...job, copyAs: 'lamps/lantern-7.png' };
  const corrected = corrections(keyed({ ...job, prompt: 'a green lantern' }));
  const ofFailed = nextJob(named, undefined, [], { corrected, rejected: rejecting() }, basis);
  expect(ofFailed).toMatchObject({ prompt: 'a green lantern', copyAs: named.copyAs });
  const ofRejected = nextJob(
    named,
    imageOf(named),
    [],
    { corrected: corrections(), rejected: rejecting(named) },
    basis,
  );
  expect(ofRejected).toMatchObject({ copyAs: named.copyAs });
  expect(ofRejected!.seed).not.toBe(job.seed);
});
