import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutShards, MAX_SHARD_JOBS } from '../../catalog/shards.ts';
import type { Job } from '../../domain/job.ts';
import type { Size } from '../../domain/size.ts';

const job = (line: number, size: Size, priority: number, picture: number): Job => ({
  id: `job-${line}`,
  prompt: 'a red apple',
  negativePrompt: '',
  size,
  bin: { height: 256, width: 256 },
  width: 256,
  height: 256,
  seed: picture,
  steps: 20,
  guidance: 4.5,
  format: 'png',
  quality: null,
  priority,
  renderKey: `${size}-${picture}`,
  line,
  metadata: {},
});

const anyJobs = fc
  .array(
    fc.record({
      size: fc.constantFrom<Size>('256', '512', '4k'),
      priority: fc.integer({ min: 1, max: 5 }),
      picture: fc.integer({ min: 0, max: 400 }),
    }),
    { maxLength: 1600, size: 'max' },
  )
  .map((specs) => specs.map(({ size, priority, picture }, index) => job(index + 2, size, priority, picture)));

describe('cutShards', () => {
  it('puts every job into exactly one shard of its size, none of them empty or above 500', async () => {
    await fc.assert(
      fc.asyncProperty(anyJobs, async (jobs) => {
        const shards = await cutShards(jobs);
        expect(shards.flatMap((shard) => shard.jobs.map(({ line }) => line)).toSorted((a, b) => a - b)).toEqual(
          jobs.map(({ line }) => line),
        );
        for (const shard of shards) {
          expect(new Set(shard.jobs.map(({ size }) => size))).toEqual(new Set([shard.size]));
          expect(shard.jobs.length).toBeLessThanOrEqual(MAX_SHARD_JOBS);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('has the first job of each image before all duplicates, both ordered by priority and then line', async () => {
    await fc.assert(
      fc.asyncProperty(anyJobs, async (jobs) => {
        for (const size of ['256', '512', '4k'] as const) {
          const ordered = (await cutShards(jobs)).flatMap((shard) => (shard.size === size ? shard.jobs : []));
          const pictures = new Set(ordered.map(({ renderKey }) => renderKey)).size;
          const first = ordered.slice(0, pictures);
          expect(new Set(first.map(({ renderKey }) => renderKey)).size).toBe(pictures);
          for (const part of [first, ordered.slice(pictures)]) {
            expect(part).toEqual(part.toSorted((a, b) => a.priority - b.priority || a.line - b.line));
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('fills shards to 500', async () => {
    const jobs = Array.from({ length: 1001 }, (_, i) => job(i + 2, '256', 3, i));
    expect((await cutShards(jobs)).map((shard) => shard.jobs.length)).toEqual([500, 500, 1]);
  });

  it('renders a high-priority duplicate instead of its first row, which then copies it', async () => {
    const jobs = [job(2, '256', 5, 7), job(3, '256', 3, 8), job(4, '256', 1, 7)];
    expect((await cutShards(jobs))[0]?.jobs.map(({ line }) => line)).toEqual([4, 3, 2]);
  });
});
