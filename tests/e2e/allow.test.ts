import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BatchClient, batchEnd, connect, temporalTarget } from '../../client/index.ts';
import { batchInput } from '../../client/request.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import { textOf } from '../workflows/text-of.ts';
import { WorkerProcess } from './worker-process.ts';
import { imagesOf, readManifest } from './workplace.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));
/** Harmless, and known by its first line. */
const PLANTED = 'the-first-line-of-a-file-of-somebody-else,x\n1,2\n';

let folder: string;
let server: TemporalServer;
let client: BatchClient;
let workers: WorkerProcess[];

const at = (name: string): string => path.join(folder, name);
const url = (name: string): string => pathToFileURL(at(name)).href;

/** The orchestrator takes the folders `out`, `half` and `catalogs`; the renderer takes `out` alone. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-allow-'));
  await Promise.all(['catalogs', 'terms'].map((name) => mkdir(at(name))));
  await writeFile(at('planted.csv'), PLANTED);
  await writeFile(at('terms/animals.txt'), PLANTED);
  await symlink(at('planted.csv'), at('catalogs/link.csv'));
  await writeFile(at('catalogs/two.csv'), 'id,prompt,steps\nfox,a fox,1\nowl,an owl,1\n');
  await writeFile(at('catalogs/terms.csv'), 'prompt\na __animals__\n');
  server = await startTemporalServer({ ui: false });
  const allow = (...names: string[]) => names.flatMap((name) => ['--allow', at(name)]);
  const renderer = ['--bundle', TINY, '--threads', '1', '--grace', '1', ...allow('out')];
  workers = [
    new WorkerProcess(
      ['--orchestrator', '--address', server.address, ...allow('out', 'half'), '--allow', url('catalogs')],
      { PIXART_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}` },
    ),
    new WorkerProcess(['--renderer', '--address', server.address, ...renderer]),
  ];
  client = await connect(temporalTarget({ address: server.address }));
  await Promise.all([workers[0]!.said('orchestrator ready'), workers[1]!.said('render worker ready')]);
});

afterAll(async () => {
  await client?.close();
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  await server?.stop();
  await rm(folder, { recursive: true });
});

type Asked = { store?: string; catalog?: string; terms?: string; webhook?: string };

/**
 * Starts a batch in the way of anybody who reaches the namespace, without our checks; tells how it ended, and its
 * history's text.
 */
async function start(batch: string, { store = 'out', catalog = 'catalogs/two.csv', terms, webhook }: Asked) {
  const request = { store: url(store), catalog: url(catalog), bundle: bundleRef(await openBundle(TINY)), webhook };
  const input = batchInput({ ...request, ...(terms !== undefined && { expansion: { terms: url(terms) } }) }, batch);
  await client.temporal.workflow.start('renderBatch', { ...batchStart(input), taskQueue: ORCHESTRATOR_QUEUE });
  const end = await batchEnd(client, batch);
  const history = await client.temporal.workflow.getHandle(batchWorkflowId(batch)).fetchHistory();
  return { end, history: textOf(history) };
}

test.each<[string, Asked, string]>([
  ['catalog', { catalog: 'planted.csv' }, 'catalog file://'],
  ['link', { catalog: 'catalogs/link.csv' }, 'found a symbolic link that leads elsewhere'],
  ['terms', { catalog: 'catalogs/terms.csv', terms: 'terms' }, 'terms file://'],
  ['store', { store: 'elsewhere' }, 'store file://'],
])(
  'an orchestrator refuses a %s outside of what it was started for, and nothing of it reaches the history',
  async (batch, asked, why) => {
    const { end, history } = await start(batch, asked);
    expect(end).toMatchObject({ state: 'failed', reason: expect.stringContaining(why) });
    expect(end).toMatchObject({ reason: expect.stringContaining('start them with --allow file://') });
    expect(history).toContain(why);
    expect(history).not.toContain('first-line');
    expect(existsSync(at('elsewhere'))).toBe(false);
  },
);

test('what workers were started for they render, and a webhook that they may not tell is known from the plan', async () => {
  const webhook = 'http://127.0.0.1:9/hook';
  const { end } = await start('allowed', { webhook });
  expect(end).toMatchObject({ state: 'completed', result: { totals: { rendered: 2 } } });
  expect(end).toMatchObject({
    result: { warnings: [expect.stringMatching(/^no message will say how .* webhook http:/)] },
  });
  expect(await imagesOf(at('out'), 'allowed')).toEqual(['fox.png', 'owl.png']);

  const deliveries: string[] = [];
  for await (const { workflowId } of client.temporal.workflow.list({ query: "WorkflowType = 'deliverWebhook'" })) {
    deliveries.push(workflowId);
  }
  expect(deliveries).toEqual([expect.stringContaining('batch.completed')]);
  await expect(client.temporal.workflow.getHandle(deliveries[0]!).result()).rejects.toMatchObject({
    cause: { cause: { message: expect.stringContaining('--allow http://127.0.0.1:9'), nonRetryable: true } },
  });
});

test('a render worker that was not started for the store fails its images at once, with what to add', async () => {
  const { end } = await start('half-allowed', { store: 'half' });
  expect(end).toMatchObject({ state: 'completed', result: { totals: { failed: 2, rendered: 0 } } });
  const { failures } = await readManifest(at('half'), 'half-allowed');
  for (const { type, attempts, reason } of failures) {
    expect({ type, attempts }).toEqual({ type: 'UserError', attempts: 1 });
    expect(reason).toContain(`--allow ${url('half')}`);
  }
});

test('a worker that may open no folder says so when it starts', async () => {
  const worker = new WorkerProcess(['--orchestrator', '--address', server.address], { PIXART_ALLOW: '' });
  await vi.waitUntil(() => worker.lines.some(({ msg }) => msg?.startsWith('no folder is allowed')), 60_000);
  await worker.kill('SIGKILL');
});
