import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../domain/job.ts';
import { jobsOf } from './planning.ts';

const row = fc.record(
  {
    prompt: fc.constantFrom('an apple', 'a pear', 'a plum'),
    size: fc.constantFrom('256', '512'),
    steps: fc.constantFrom(10, 20),
    seed: fc.constantFrom(1, 2),
    variants: fc.constantFrom(1, 2),
    team: fc.constantFrom('shop', 'press'),
  },
  { requiredKeys: ['prompt'] },
);

const jsonl = (rows: readonly object[]): string => rows.map((value) => `${JSON.stringify(value)}\n`).join('');

const jobsOfRows = (rows: readonly object[]): Promise<Job[]> => jobsOf(jsonl(rows), { format: 'jsonl' });

const withoutLines = (jobs: Job[]) => jobs.map(({ line: _, ...job }) => job).toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('derived ids and seeds', () => {
  it('stay with their rows whatever the order of the rows', async () => {
    const shuffled = fc
      .array(row, { minLength: 1, maxLength: 20 })
      .chain((rows) => fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })));
    await fc.assert(
      fc.asyncProperty(shuffled, async ([rows, moved]) => {
        expect(withoutLines(await jobsOfRows(moved))).toEqual(withoutLines(await jobsOfRows(rows)));
      }),
    );
  });

  it('stay when other rows come and go', async () => {
    const [apple] = await jobsOfRows([{ prompt: 'an apple' }]);
    const jobs = await jobsOfRows([{ prompt: 'a pear' }, { prompt: 'an apple' }]);
    expect(jobs[1]).toEqual({ ...apple, line: 2 });
  });

  it('give identical rows different ids and one image', async () => {
    const jobs = await jobsOfRows([{ prompt: 'an apple' }, { prompt: 'an apple' }, { prompt: 'an apple' }]);
    const [id] = jobs.map((job) => job.id);
    expect(jobs.map((job) => job.id)).toEqual([id, `${id}_2`, `${id}_3`]);
    expect(new Set(jobs.map((job) => job.renderKey)).size).toBe(1);
  });

  it('distinguish rows that differ only in metadata and share their image', async () => {
    const [shop, press] = await jobsOfRows([
      { prompt: 'an apple', team: 'shop' },
      { prompt: 'an apple', team: 'press' },
    ]);
    expect(shop?.id).not.toBe(press?.id);
    expect(shop?.renderKey).toBe(press?.renderKey);
  });

  it('keep the noise of a prompt when its steps change', async () => {
    const [few, many] = await jobsOfRows([
      { prompt: 'an apple', steps: 10 },
      { prompt: 'an apple', steps: 30 },
    ]);
    expect(few?.seed).toBe(many?.seed);
    expect(few?.renderKey).not.toBe(many?.renderKey);
  });

  it('do not depend on the format of the file', async () => {
    const [fromJson] = await jobsOfRows([{ prompt: 'an apple', seed: null, steps: 10, team: 'shop' }]);
    const [fromCsv] = await jobsOf('team,steps,seed,prompt\nshop,10,,an apple\n');
    expect(fromCsv).toEqual({ ...fromJson, line: 2 });
  });
});

describe('fresh seeds', () => {
  const catalog = 'id,prompt,seed\na,an apple,\nb,an apple,\nc,an apple,7\nd,a pear,\n';
  const seeds = async (freshFor?: string) => (await jobsOf(catalog, { freshFor })).map(({ seed }) => seed);

  it('differ between batches, but not between plans of the same batch; a row with a seed keeps it', async () => {
    const [tonight, again, tomorrow, usual] = [
      await seeds('n-1'),
      await seeds('n-1'),
      await seeds('n-2'),
      await seeds(),
    ];
    expect(again).toEqual(tonight);
    expect([tonight[2], tomorrow[2]]).toEqual([7, 7]);
    const own = [tonight, tomorrow, usual].flatMap(([a, , , d]) => [a, d]);
    expect(new Set(own).size).toBe(6);
  });

  it('depend on the prompt within a batch, so that equal rows share one image', async () => {
    const [a, b] = await seeds('n-1');
    expect(a).toBe(b);
  });
});
