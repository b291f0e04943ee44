import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scheduleNights } from '../../activities/messages/schedule-nights.ts';
import {
  batchEnd,
  batchProgress,
  createSchedule,
  deleteSchedule,
  describeBatch,
  describeSchedule,
  LimitReached,
  listSchedules,
  submitBatch,
  triggerSchedule,
  updateSchedule,
} from '../../client/index.ts';
import { ratesName } from '../../records/layout.ts';
import { batchDetails } from '../../workflows/temporal-ui.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

let site: Site;
let receiver: Server;
const told: { type: string; data: { batch: string; reason?: string; refused?: true } }[] = [];

beforeAll(async () => {
  receiver = createServer(async (request, response) => {
    told.push(JSON.parse(await text(request)));
    response.writeHead(200).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  site = await startSite({ stepMs: () => 20, allow: [new URL(address()).origin] });
  const secret = Buffer.from('a secret of at least 32 bytes, here').toString('base64');
  await site.tell({ PIXART_WEBHOOK_SECRET: `whsec_${secret}` });
});

afterAll(async () => {
  receiver.close();
  await site.stop();
});

const address = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/batches`;

type AtMost = NonNullable<Parameters<typeof submitBatch>[1]['atMost']>;

async function submit(batch: string, rows: string[], atMost: AtMost) {
  const catalog = await site.catalog(`${batch}.csv`, rows);
  return submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch, atMost });
}

const FOXES = ['a fox,256', 'a red fox,256', 'a grey fox,256'];

it('a batch with a maximum cost is not started while its cost cannot be estimated, and the error says what to do', async () => {
  const refused = submit('unknown', FOXES, { cost: { amount: 1_000, perHour: 1 } });
  await expect(refused).rejects.toBeInstanceOf(LimitReached);
  await expect(refused).rejects.toThrow(
    /--max-cost: expected a pace measured by an earlier batch in this store, found none with this bundle\. Render a few rows first, or use --max-jobs instead; nothing was started/,
  );
  await expect(describeBatch(site.client, 'unknown')).rejects.toThrow('unknown to the Temporal server');
  expect(await site.store.stat('batches/unknown/catalog.csv')).toBeNull();
});

it('a batch is started if it is within its limits; otherwise the error shows the estimate', async () => {
  await expect(submit('few', FOXES, { images: 2 })).rejects.toThrow(
    '--max-jobs: expected at most 2 images to render, found 3; nothing was started',
  );
  const first = await submit('few', FOXES, { images: 3 });
  expect(first.preview).toMatchObject({ toRender: 3, deviceSeconds: null });
  await batchEnd(site.client, 'few');
  const sizes = { '256': { 'NVIDIA L4': { images: 10, secondsPerStep: 0.5 } } };
  const rates = { format: 2, bundle: BUNDLE.digest, sizes };
  await site.store.replace(ratesName(BUNDLE.digest), Buffer.from(JSON.stringify(rates)), 'application/json');
  const owls = ['an owl,256', 'a brown owl,256'];
  const dear = submit('dear', owls, { cost: { amount: 1.99, perHour: 3_600 } });
  await expect(dear).rejects.toThrow(
    '--max-cost: expected at most 1.99, found about 2.00: 0.0006 h of device time, as on NVIDIA L4, at 3600 an hour; nothing was started',
  );
  const { preview } = await submit('cheap', owls, { cost: { amount: 2, perHour: 3_600 } });
  expect(preview).toMatchObject({ toRender: 2, deviceSeconds: 2 });
  expect(await batchEnd(site.client, 'cheap')).toMatchObject({ state: 'completed' });
  // Images that exist cost nothing.
  await submit('again', owls, { images: 0, cost: { amount: 0, perHour: 1 } });
  expect(await batchEnd(site.client, 'again')).toMatchObject({ state: 'completed' });
});

it('a limit that is not a number is refused', async () => {
  await expect(submit('odd', FOXES, { images: 1.5 })).rejects.toThrow('expected a whole number from 0 on, found 1.5');
  await expect(submit('odd', FOXES, { cost: { amount: Number.NaN, perHour: 1 } })).rejects.toThrow('found NaN');
});

it("a schedule's batch that has become too large is refused, and listings, the schedule, its webhook and Temporal's UI show it", async () => {
  const rows = ['a crab,256', 'a blue crab,256'];
  const catalog = await site.catalog('growing.csv', rows);
  await createSchedule(site.client, {
    ...{ name: 'growing', when: { cron: '0 3 29 2 *' }, catalog, store: site.store.url, bundle: BUNDLE },
    ...{ webhook: address(), atMost: { images: 2 } },
  });
  await site.catalog('growing.csv', [...rows, 'a green crab,256']);
  const batch = await trigger('growing');
  const reason = '--max-jobs: expected at most 2 images to render, found 3; nothing was started';
  expect(await batchEnd(site.client, batch)).toEqual({ state: 'failed', reason });
  expect(await describeBatch(site.client, batch)).toMatchObject({ state: 'refused', withoutManifest: reason });
  const progress = await batchProgress(site.client, batch);
  expect(batchDetails(progress)).toBe(`**refused**: 0 of 0 images\n\nwithout a manifest: \`${reason}\``);
  const run = { batch, state: 'refused', reason };
  await expect.poll(() => describeSchedule(site.client, 'growing')).toMatchObject({ runs: [run] });
  await expect.poll(() => listed('growing')).toMatchObject({ last: run });
  await expect
    .poll(() => told.filter(({ data }) => data.batch === batch))
    .toMatchObject([{ type: 'batch.failed', data: { reason, refused: true } }]);
  await updateSchedule(site.client, 'growing', { atMost: { images: 3 }, timeZone: 'Asia/Tokyo' });
  const next = await trigger('growing');
  expect(await batchEnd(site.client, next)).toMatchObject({ state: 'completed', result: { totals: { rendered: 3 } } });
  const nights = await scheduleNights(site.client.temporal, site.store, 'growing', next);
  expect(nights).toMatchObject({
    next: [{ label: 'Next run', value: expect.stringMatching(/03:00 \+09:00 \(Asia\/Tokyo\)$/) }],
    before: [{ label: expect.stringMatching(/ \+09:00$/), value: 'refused' }],
  });
  await deleteSchedule(site.client, 'growing');
});

async function trigger(name: string): Promise<string> {
  const triggered = await triggerSchedule(site.client, name);
  if (triggered.outcome !== 'started') throw new Error(triggered.outcome);
  return triggered.batch;
}

async function listed(name: string) {
  for await (const schedule of listSchedules(site.client)) if (schedule.name === name) return schedule;
  return undefined;
}
