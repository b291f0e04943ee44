import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { manifestName } from '../../records/layout.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { type BatchProgress, PROGRESS_QUERY } from '../../workflows/contract/progress.ts';
import { JOBS, type LongBatch, type LongBatchOptions, makeCurrent, runLongBatch } from './long-batch.ts';

// Each test starts a Temporal server of its own.
vi.setConfig({ testTimeout: 120_000 });

async function ended(options: LongBatchOptions = {}) {
  const long = await runLongBatch(options);
  onTestFinished(() => long.stop());
  const manifest = Buffer.from(await long.store.read(manifestName(long.batch))).toString('utf8');
  return { long, manifest: manifestSchema.parse(JSON.parse(manifest)), runs: await runsOf(long) };
}

/** Listings lag behind, so this polls until the last run has ended there too. */
async function runsOf({ batch, client, workflowId }: LongBatch): Promise<string[]> {
  for (;;) {
    const runs: string[] = [];
    for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
      expect(run.memo).toMatchObject({ batch });
      runs.push(run.status.name);
    }
    const hasEnded = runs.some((status) => status !== 'RUNNING' && status !== 'CONTINUED_AS_NEW');
    if (hasEnded && !runs.includes('RUNNING')) return runs;
    await sleep(100);
  }
}

it('a batch with a long history continues as new with its window drained, and loses neither jobs nor counts', async () => {
  const { long, manifest, runs } = await ended();
  const progress = await long.client.workflow.getHandle(long.workflowId).query<BatchProgress, []>(PROGRESS_QUERY);
  expect(progress).toMatchObject({ state: 'completed', totals: { jobs: JOBS, rendered: JOBS, failed: 0 } });
  expect(manifest.images).toHaveLength(JOBS);
  expect(runs.filter((status) => status === 'CONTINUED_AS_NEW').length).toBeGreaterThan(0);
  expect(runs.filter((status) => status === 'COMPLETED')).toHaveLength(1);
});

it('a batch that is cancelled once everything it waits for is done does not continue as new', async () => {
  const { manifest, runs } = await ended({ suggestAt: 20, beforeReceipts: (batch) => batch.cancel() });
  expect(runs).toEqual(['CANCELLED']);
  expect(manifest.state).toBe('cancelled');
  expect(manifest.totals.rendered).toBeGreaterThan(0);
  expect(manifest.totals.cancelled).toBe(JOBS - manifest.totals.rendered);
});

it('a batch that continues as new keeps its version of the workflows, as do its shards, while another is current', async () => {
  const [old, young] = ['old', 'young'].map((buildId) => ({ deploymentName: 'studio', buildId }));
  const { manifest, runs, long } = await ended({
    version: old!,
    // No worker has this version: a workflow routed to it would wait forever.
    beforeReceipts: ({ client }) => makeCurrent(client, young!),
  });
  expect(runs).toContain('CONTINUED_AS_NEW');
  expect(manifest.images).toHaveLength(JOBS);
  const seen = new Set<string>();
  for await (const { workflowId, runId } of long.client.workflow.list({ query: `WorkflowId STARTS_WITH 'batch/'` })) {
    const { raw } = await long.client.workflow.getHandle(workflowId, runId).describe();
    seen.add(raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? 'none');
  }
  expect([...seen]).toEqual(['old']);
});
