import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  createSchedule,
  deleteSchedule,
  submitBatch,
  triggerSchedule,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import type { FailureBudget } from '../../workflows/contract/batch.ts';
import type { BatchEvent } from '../../workflows/contract/webhook.ts';
import { Outage } from './outage.ts';
import { BUNDLE, type Site, startSite } from './site.ts';
import { textOf } from './text-of.ts';

const SECRET = `whsec_${Buffer.from('another secret of some 32 bytes..').toString('base64')}`;

const before = ({ prompt }: { prompt: string }): void => {
  if (prompt.includes('impossible')) throw new UserError('this picture cannot be made');
};

/** A picture with "slow" in its prompt takes longer than its test. */
const stepMs = ({ prompt }: { prompt: string }): number => (prompt.includes('slow') ? 60_000 : 0);

const outage = new Outage();

let site: Site;
let receiver: Server;
let refusals = 0;
const events: { id: string; event: BatchEvent }[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (refusals > 0) {
      refusals -= 1;
      if (refusals % 2 === 0) request.socket.destroy();
      else response.writeHead(503).end();
      return;
    }
    events.push({ id: String(request.headers['webhook-id']), event: JSON.parse(Buffer.concat(chunks).toString()) });
    response.writeHead(200).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  site = await startSite({ before, stepMs, open: outage.open, allow: [new URL(address()).origin] });
  await site.tell({ PIXART_WEBHOOK_SECRET: SECRET });
});

afterAll(async () => {
  receiver.close();
  await site.stop();
});

const address = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/batches`;

async function submit(batch: string, rows: string[], maxFailures?: FailureBudget): Promise<void> {
  const catalog = await site.catalog(`${batch}.csv`, rows);
  await submitBatch(site.client, {
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
    batch,
    webhook: address(),
    maxFailures,
  });
}

/** The events that the webhook received about a batch. */
const told = (batch: string): BatchEvent[] =>
  events.filter(({ event }) => event.data.batch === batch).map(({ event }) => event);

const heard = (batch: string, count = 1) => expect.poll(() => told(batch), { timeout: 40_000 }).toHaveLength(count);

it('a batch reports its end to its webhook, retrying until it is accepted, and does not wait for that', async () => {
  refusals = 2;
  await submit('told', ['a fox,256', 'an owl,512']);
  await batchEnd(site.client, 'told');
  expect(told('told')).toEqual([]);
  await heard('told');
  expect(told('told')).toMatchObject([
    {
      type: 'batch.completed',
      data: { round: 1, store: site.store.url, totals: { rendered: 2 }, manifest: 'batches/told/manifest-1.json' },
    },
  ]);
  const [{ id }] = events.filter(({ event }) => event.data.batch === 'told') as [(typeof events)[0]];
  expect(id).toMatch(/^batch\/told\/batch\.completed\/1-0-[0-9a-f]{8}$/);
  const handle = site.client.temporal.workflow.getHandle(id);
  await handle.result();
  expect(textOf(await handle.fetchHistory())).toContain('batches/told/manifest-1.json');
  expect(textOf(await handle.fetchHistory())).not.toContain(SECRET.slice(6));
});

it('a batch that is paused by its failures reports that, with the reason', async () => {
  await submit('paused', ['an impossible stair,256', 'an impossible arch,256'], { count: 1 });
  await heard('paused');
  expect(told('paused')).toMatchObject([
    { type: 'batch.paused', data: { reason: expect.stringContaining('2 images failed, more than its budget of 1') } },
  ]);
});

it('a batch that exceeds its budget while it is being cancelled ends, and reports that it was cancelled', async () => {
  const rows = ['an impossible stair,256', 'an impossible arch,256', 'an impossible hill,256', 'a slow dale,256'];
  await submit('both', rows, { count: 2 });
  await expect.poll(async () => (await batchProgress(site.client, 'both')).totals.failed, { timeout: 20_000 }).toBe(3);
  await cancelBatch(site.client, 'both').catch(() => undefined);
  expect(await batchEnd(site.client, 'both')).toEqual({ state: 'cancelled', sheetPage: expect.any(String) });
  await expect.poll(() => told('both').map(({ type }) => type), { timeout: 40_000 }).toContain('batch.cancelled');
});

it('a cancelled batch calls its webhook', async () => {
  await submit('stopped', ['a slow hill,256', 'a slow dale,256']);
  await cancelBatch(site.client, 'stopped');
  await batchEnd(site.client, 'stopped');
  await heard('stopped');
  expect(told('stopped')).toMatchObject([{ type: 'batch.cancelled', data: { batch: 'stopped', round: 1 } }]);
});

it('a batch that ends without a manifest reports that to its webhook, with the reason', async () => {
  outage.begin('batches/unwritten/manifest', 'fails');
  await submit('unwritten', ['a fen,256']);
  const state = async () => (await batchProgress(site.client, 'unwritten')).state;
  await expect.poll(state, { timeout: 20_000 }).toBe('finishing');
  await cancelBatch(site.client, 'unwritten');
  await heard('unwritten');
  expect(told('unwritten')).toMatchObject([
    { type: 'batch.cancelled', data: { manifest: null, reason: 'the store is away', totals: { rendered: 1 } } },
  ]);
});

it('a scheduled batch whose catalog has become invalid reports the problem to its webhook', async () => {
  const catalog = await site.catalog('nightly.csv', ['a moon,256']);
  const when = { cron: '@daily' };
  await createSchedule(site.client, {
    name: 'nightly',
    when,
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
    webhook: address(),
  });
  await site.catalog('nightly.csv', ['a moon,257']);
  await triggerSchedule(site.client, 'nightly');
  const failed = () =>
    events.filter(({ event }) => event.type === 'batch.failed').map(({ event }) => event.data.reason);
  await expect.poll(failed, { timeout: 40_000 }).toHaveLength(1);
  expect(failed()[0]).toContain('line 2, size: expected one of 256');
  await deleteSchedule(site.client, 'nightly');
});
