import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { batchEnd, cancelBatch, describeBatch, retryBatch, retrying } from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { ifThere } from '../set-up.ts';
import { type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 180_000 });

const programs = await ifThere('Tests of batches that are reset in Temporal are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);

/** Each image takes half a second, so that a batch is reset in the middle. */
const STEP_MS = 250;
const IMAGES = 8;

describe.skipIf(programs === null).each(['1.29', '1.32'])('on server %s', (server) => {
  const binary = programs?.[server === '1.29' ? 0 : 1] ?? '';
  let site: Site;
  let painted = 0;

  beforeAll(async () => {
    const before = (): void => {
      painted += 1;
    };
    site = await startSite({ binary, stepMs: () => STEP_MS, before });
  });

  afterAll(() => site.stop());

  /** Begins a batch and waits until its shards of both sizes paint. */
  async function begin(batch: string): Promise<void> {
    painted = 0;
    const rows = Array.from({ length: IMAGES }, (_, i) => `a fox that is ${batch} ${i},${i % 2 ? 256 : 512}`);
    await site.submit(batch, rows);
    await vi.waitUntil(() => painted >= 2, { timeout: 60_000, interval: 20 });
  }

  /** As a person does it, with Temporal's own command line. */
  const workflow = (batch: string, verb: 'reset' | 'terminate', ...options: string[]): void => {
    const of = ['--workflow-id', batchWorkflowId(batch), '--reason', randomUUID()];
    execFileSync(binary, ['workflow', verb, ...of, ...options, '--address', site.address]);
  };

  test.each(['FirstWorkflowTask', 'LastWorkflowTask'])(
    'a running batch that is reset to its %s has all images',
    async (to) => {
      const batch = to.toLowerCase();
      await begin(batch);
      workflow(batch, 'reset', '--type', to);
      await batchEnd(site.client, batch);
      const { totals } = await site.manifest(batch);
      expect(totals).toMatchObject({ failed: 0, cancelled: 0 });
      expect(totals.rendered + totals.reused).toBe(IMAGES);
    },
  );

  test('a batch that was terminated and then reset waits for lost shards, which it shows, and a retry completes it', async () => {
    await begin('lost');
    workflow('lost', 'terminate');
    const shards = [0, 1].map((shard) =>
      site.client.temporal.workflow.getHandle(`${batchWorkflowId('lost')}/1-${shard}`),
    );
    await Promise.allSettled(shards.map((shard) => shard.result()));
    workflow('lost', 'reset', '--type', 'LastWorkflowTask');
    await cancelBatch(site.client, 'lost');

    const shown = await vi.waitUntil(
      async () => (await retrying(site.client, 'lost')).find(({ activity }) => activity === 'renderShard'),
      { timeout: 60_000, interval: 500 },
    );
    expect(shown).toMatchObject({ count: expect.any(Number), since: expect.any(Date), givesUpAt: null });
    expect(shown.reason).toMatch(/terminate --workflow-id batch\/lost, then: npx pixart-batch retry lost$/);
    expect((await describeBatch(site.client, 'lost')).endedAt).toBeNull();

    workflow('lost', 'terminate');
    await retryBatch(site.client, 'lost');
    expect(await batchEnd(site.client, 'lost')).toMatchObject({ result: { totals: { jobs: IMAGES, failed: 0 } } });
  });
});
