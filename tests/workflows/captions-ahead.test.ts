import { once } from 'node:events';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { CaptionSource } from '../../activities/index.ts';
import { simulatedCaptions } from '../../benchmarks/simulated-renderer.ts';
import { lackOfWorkers } from '../../cli/display/worker-watch.ts';
import {
  type BatchProgress,
  batchEnd,
  batchProgress,
  cancelBatch,
  controlBatch,
  workersSeen,
} from '../../client/index.ts';
import type { EncodeActivities } from '../../workflows/contract/activities.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { BUNDLE, type Site, type SiteOptions, startSite } from './site.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const ENCODER = 'cd'.repeat(32);
const ROWS = ['a fox,256', 'an owl,256', 'a hen,256', 'a lynx,256'];

type EncodeCaptions = EncodeActivities['encodeCaptions'];

async function siteOfThisTest(options: SiteOptions): Promise<Site> {
  const site = await startSite({ ...options, bundle: { ...BUNDLE, encoder: ENCODER } });
  onTestFinished(() => site.stop());
  return site;
}

/** Encodes two jobs' texts at a time; `ready` returns how far it has got. */
function encodingByTwos(): { encode: EncodeCaptions; calls: string[]; ready: () => number } {
  const calls: string[] = [];
  let ready = 0;
  const encode: EncodeCaptions = async ({ from, to }) => {
    calls.push(`${from}-${to}`);
    ready = Math.max(ready, Math.min(from + 2, to));
    return { until: ready, encoded: ready - from };
  };
  return { encode, calls, ready: () => ready };
}

/** Encodes nothing until it is cancelled, like an encoder with long texts. */
const encodingForEver: EncodeCaptions = async () => {
  const timer = setInterval(() => Context.current().heartbeat(), 200);
  try {
    return await Context.current().cancelled;
  } finally {
    clearInterval(timer);
  }
};

/** Captions for a fleet whose renderers never find one text, even once encoded; without the minutes that real attempts take. */
const withoutOwl: CaptionSource = async (store, request, signal) => {
  if (request.prompt === 'an owl') throw ApplicationFailure.nonRetryable('not encoded', 'CaptionNotKept');
  return simulatedCaptions(store, request, signal);
};

test('pictures start once their texts are encoded, not before', async () => {
  const { encode, calls, ready } = encodingByTwos();
  const early: string[] = [];
  const rowOf = ({ prompt }: { prompt: string }) => ROWS.findIndex((row) => row.startsWith(prompt));
  const before: SiteOptions['before'] = (request) => {
    if (rowOf(request) >= ready()) early.push(request.prompt);
  };
  const site = await siteOfThisTest({ before, encodeCaptions: encode });
  await site.submit('night', ROWS);
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4 } },
  });
  expect(calls).toEqual(['0-4', '2-4']);
  expect(early).toEqual([]);
});

test('if nobody encodes, pictures start anyway, status says what to start, and a missing text is encoded in the end', async () => {
  let encoded = false;
  // A text that all attempts found missing, without the minutes that real attempts take.
  const captions: CaptionSource = async (store, request, signal) => {
    if (request.prompt === 'an owl' && !encoded) {
      throw ApplicationFailure.nonRetryable('not encoded', 'CaptionNotKept', { attempts: 7 });
    }
    return simulatedCaptions(store, request, signal);
  };
  const site = await siteOfThisTest({ captions });
  await site.submit('night', ROWS);
  const progress = async (): Promise<BatchProgress['totals']> => (await batchProgress(site.client, 'night')).totals;
  await expect.poll(progress, { timeout: 120_000 }).toMatchObject({ rendered: 3, failed: 0 });
  const seen = await workersSeen(site.client, 'night', ['256']);
  expect(seen.encoders).toBe(0);
  expect(lackOfWorkers(['256'], seen).join('\n')).toMatch(
    /no worker is polling for texts to encode for bundle simulated.*\n {2}npx pixart-batch worker --encoder --bundle simulated.* --allow \//,
  );
  await site.serve(async ({ to, from }) => {
    encoded ||= from === 1;
    return { until: to, encoded: 1 };
  });
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4 } },
  });
});

test('an encoder that fails for good does not hold up pictures, which find out themselves what is wrong', async () => {
  const encodeCaptions: EncodeCaptions = async () => {
    throw ApplicationFailure.nonRetryable('this bundle cannot be encoded with', 'UserError');
  };
  const site = await siteOfThisTest({ encodeCaptions });
  await site.submit('night', ROWS);
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4 } },
  });
});

test('a missing text that cannot be encoded fails its row with the encoder’s reason', async () => {
  const encodeCaptions: EncodeCaptions = async () => {
    throw ApplicationFailure.nonRetryable('this text cannot be encoded', 'UserError');
  };
  const site = await siteOfThisTest({ encodeCaptions, captions: withoutOwl });
  await site.submit('night', ROWS);
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 3, failed: 1 } },
  });
  const { failures } = await site.manifest('night');
  expect(failures).toMatchObject([{ type: 'UserError', reason: 'this text cannot be encoded' }]);
});

test('a text that is still missing after each encoding fails its row after a few tries', async () => {
  const missed: number[] = [];
  const encodeCaptions: EncodeCaptions = async ({ from, to, isMissed }) => {
    if (isMissed) missed.push(from);
    return { until: to, encoded: 1 };
  };
  const site = await siteOfThisTest({ encodeCaptions, captions: withoutOwl });
  await site.submit('night', ROWS);
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 3, failed: 1 } },
  });
  expect(missed).toEqual([1, 1, 1]);
  expect((await site.manifest('night')).failures).toMatchObject([{ type: 'CaptionNotKept' }]);
});

test('if an encoder comes later, pictures wait again for the texts that it has not reached', async () => {
  const painted = new AbortController();
  const encoded = new AbortController();
  const begun: string[] = [];
  const captions: CaptionSource = async (store, request, signal) => {
    begun.push(request.prompt);
    if (begun.length === 1) await once(painted.signal, 'abort');
    return simulatedCaptions(store, request, signal);
  };
  const site = await siteOfThisTest({ captions });
  await site.submit('night', ROWS, 1);
  await expect.poll(() => begun, { timeout: 60_000 }).toEqual(['a fox']);
  const calls: number[] = [];
  await site.serve(async ({ from, to }) => {
    calls.push(from);
    if (calls.length === 1) return { until: 1, encoded: 1 };
    await once(encoded.signal, 'abort');
    return { until: to, encoded: 3 };
  });
  await expect.poll(() => calls, { timeout: 60_000 }).toEqual([0, 1]);
  painted.abort();
  const progress = async (): Promise<BatchProgress['totals']> => (await batchProgress(site.client, 'night')).totals;
  await expect.poll(progress, { timeout: 60_000 }).toMatchObject({ rendered: 1 });
  const shard = site.client.temporal.workflow.getHandle(`${batchWorkflowId('night')}/1-0`);
  const { raw } = await shard.describe();
  expect(raw.pendingActivities?.map(({ activityType }) => activityType?.name)).not.toContain('renderImage');
  encoded.abort();
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4 } },
  });
});

test('a batch that is cancelled while its texts are encoded ends without rendering anything', async () => {
  let begun = false;
  let cancelled = false;
  const encodeCaptions: EncodeCaptions = (input) => {
    begun = true;
    return encodingForEver(input).catch((error) => {
      cancelled = true;
      throw error;
    });
  };
  const site = await siteOfThisTest({ encodeCaptions });
  await site.submit('night', ROWS);
  // It is in state rendering shortly before a worker takes its texts.
  await expect.poll(() => begun).toBe(true);
  await cancelBatch(site.client, 'night');
  expect(await batchEnd(site.client, 'night')).toMatchObject({ state: 'cancelled' });
  expect((await site.manifest('night')).totals).toMatchObject({ rendered: 0, cancelled: 4 });
  await expect.poll(() => cancelled).toBe(true);
});

test('a batch that is paused has no more texts encoded until it is resumed', async () => {
  const { encode, calls } = encodingByTwos();
  let go = (): void => {};
  const resumed = new Promise<void>((resolve) => {
    go = resolve;
  });
  const encodeCaptions: EncodeCaptions = async (input) => {
    const found = await encode(input);
    if (calls.length === 1) await resumed;
    return found;
  };
  const site = await siteOfThisTest({ encodeCaptions });
  await site.submit('night', ROWS);
  await expect.poll(() => calls).toEqual(['0-4']);
  await controlBatch(site.client, 'night', { kind: 'pause' });
  await expect.poll(async () => (await batchProgress(site.client, 'night')).state).toBe('paused');
  go();
  // By the time another batch has gone through the same worker, anything that was going to start has started.
  await site.submit('other', ['a moon,256']);
  await batchEnd(site.client, 'other');
  expect(calls).toEqual(['0-4', '0-1']);
  await controlBatch(site.client, 'night', { kind: 'resume' });
  expect(await batchEnd(site.client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4 } },
  });
  expect(calls).toEqual(['0-4', '0-1', '2-4']);
});
