import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { batchEnd, cancelBatch, retrying } from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { RendererDied } from '../../models/renderer/index.ts';
import { RENDER_ATTEMPTS } from '../../workflows/contract/limits.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { ifThere } from '../set-up.ts';
import { type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 180_000 });

const programs = await ifThere('Tests of images that are paused in Temporal are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);

/** `PENDING_ACTIVITY_STATE_` of Temporal's API. */
const STATE = { started: 2, paused: 4 };
const soon = { timeout: 60_000, interval: 50 };

/** Images take three seconds, long enough to be paused in the middle, until they are told to be quick. */
let stepMs: number;
let computations: number;
/** Which computations' renderers die. */
let dies: (computation: number) => boolean;

describe.skipIf(programs === null).each(['1.29', '1.32'])('on server %s', (server) => {
  const binary = programs?.[server === '1.29' ? 0 : 1] ?? '';
  let site: Site;

  beforeAll(async () => {
    const before = (): void => {
      computations += 1;
      if (dies(computations)) throw new RendererDied('the renderer died');
    };
    site = await startSite({ binary, stepMs: () => stepMs, before });
  });

  afterAll(() => site.stop());

  async function submit(batch: string) {
    [stepMs, computations, dies] = [1_500, 0, () => false];
    await site.submit(batch, [`a fox that is ${batch},256`]);
    const workflowId = `${batchWorkflowId(batch)}/1-0`;
    const pending = async () => {
      const shard = await site.client.temporal.workflow.getHandle(workflowId).describe();
      return shard.raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'renderImage');
    };
    return {
      pending,
      /** Waits until a worker computes it. */
      async computing(nth: number): Promise<void> {
        await vi.waitUntil(() => computations === nth, soon);
        await vi.waitUntil(async () => (await pending())?.state === STATE.started, soon);
      },
      /** As a person does it, with Temporal's own command line. */
      activity(verb: 'pause' | 'unpause' | 'reset'): void {
        const which = ['--activity-id', '0-1', '--workflow-id', workflowId];
        execFileSync(binary, ['activity', verb, ...which, '--address', site.address]);
      },
    };
  }

  test('an image that was paused more often than it may fail has all of its tries left, and status says who paused it', async () => {
    const image = await submit('paused');
    for (let pause = 1; pause <= RENDER_ATTEMPTS; pause += 1) {
      await image.computing(pause);
      image.activity('pause');
      await vi.waitUntil(async () => (await image.pending())?.state === STATE.paused, soon);
      if (pause === 1) {
        const [told] = await retrying(site.client, 'paused');
        expect(told).toMatchObject({
          isPaused: true,
          reason: expect.stringMatching(/^by /),
          waitsForStore: false,
          since: expect.any(Date),
        });
      }
      image.activity('unpause');
    }
    stepMs = 0;
    dies = (computation) => computation <= RENDER_ATTEMPTS + 2;
    expect(await batchEnd(site.client, 'paused')).toMatchObject({ result: { totals: { rendered: 1, failed: 0 } } });
    expect(computations).toBeGreaterThan(RENDER_ATTEMPTS + 2);
  });

  test('an image that is reset begins to count from nothing, and goes on', async () => {
    const image = await submit('reset');
    for (let reset = 1; reset <= 3; reset += 1) {
      await image.computing(reset);
      image.activity('reset');
    }
    await image.computing(4);
    stepMs = 0;
    expect(await batchEnd(site.client, 'reset')).toMatchObject({ result: { totals: { rendered: 1, failed: 0 } } });
  });

  test('an image that is paused in Temporal does not hold up the end of a batch that is cancelled', async () => {
    const image = await submit('cancelled');
    await image.computing(1);
    image.activity('pause');
    await vi.waitUntil(async () => (await image.pending())?.state === STATE.paused, soon);
    await cancelBatch(site.client, 'cancelled');
    expect(await batchEnd(site.client, 'cancelled')).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  });
});
