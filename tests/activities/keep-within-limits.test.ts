import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { keepWithinLimits } from '../../activities/keep-within-limits.ts';
import { cutShards } from '../../catalog/shards.ts';
import { batchInput } from '../../client/request.ts';
import { LIMITS_NAME } from '../../records/layout.ts';
import { openStore } from '../../store/index.ts';
import { options } from '../catalog/planning.ts';
import { sampleJob } from '../images/sample-job.ts';

test("a batch with a limit of its own and one of its store's asks the store for each picture once", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-limits-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const request = { catalog: 'icons.csv', store: folder, bundle: options.bundle, atMost: { images: 5 } };
  const input = batchInput(request, 'night');
  const store = await openStore(input.store);
  await store.replace(LIMITS_NAME, Buffer.from('{"imagesPerDay":5}'), 'application/json');
  const asked = vi.spyOn(store, 'stat');
  const jobs = ['a', 'b', 'c'].map((digit) => ({ ...sampleJob, id: digit, renderKey: digit.repeat(64) }));
  await new MockActivityEnvironment().run(keepWithinLimits, store, input, await cutShards(jobs));
  const pictures = asked.mock.calls.map(([name]) => name).filter((name) => name.startsWith('objects/'));
  expect(pictures).toHaveLength(3);
  expect(new Set(pictures).size).toBe(3);
});
