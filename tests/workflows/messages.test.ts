import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { SlackMessage } from '../../activities/messages/slack.ts';
import type { TeamsMessage } from '../../activities/messages/teams.ts';
import {
  batchEnd,
  batchProgress,
  canTell,
  createSchedule,
  deleteSchedule,
  submitBatch,
  triggerSchedule,
  waitingMessages,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { runHere } from '../cli/run-here.ts';
import { type MailServer, startMailServer } from '../workers/mail-server.ts';
import { BUNDLE, type Site, startSite } from './site.ts';
import { textOf } from './text-of.ts';

vi.setConfig({ testTimeout: 120_000 });

const KEY = 'T0/B0/a-key-to-a-channel';

let site: Site;
let mails: MailServer;
let receiver: Server;
const posted: { path: string; body: string }[] = [];

beforeAll(async () => {
  mails = await startMailServer();
  receiver = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    posted.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
    response.writeHead(request.url?.startsWith('/teams') ? 202 : 200).end('ok');
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const before = ({ prompt }: { prompt: string }): void => {
    if (prompt.includes('impossible')) throw new UserError('this picture <cannot> be made');
  };
  site = await startSite({ before, allow: [origin(), 'mailto:studio.example'] });
});

afterAll(async () => {
  receiver.close();
  await mails.stop();
  await site.stop();
});

const origin = (): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

const mailEnvironment = () => ({
  PIXART_SMTP_URL: `smtp://${mails.host}:${mails.port}`,
  PIXART_MAIL_FROM: 'pixart@studio.example',
  PIXART_COST_PER_HOUR: '2.5',
});

async function submit(
  batch: string,
  webhook: string,
  rows = ['a fox,256', 'an impossible stair,256', 'an owl,512'],
): Promise<void> {
  const catalog = await site.catalog(`${batch}.csv`, rows);
  await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch, webhook });
}

const run = (...args: string[]) => runHere(args, { TEMPORAL_ADDRESS: site.address });

const postedTo = async (path: string) => {
  await expect.poll(() => posted.filter((post) => post.path === path).length, { timeout: 40_000 }).toBe(1);
  return posted.find((post) => post.path === path)!.body;
};

it('a message waits for a worker with the secret, which status reports, and is sent as soon as there is one', async () => {
  await submit('waits', 'slack');
  await batchEnd(site.client, 'waits');
  expect(await canTell(site.client, 'slack')).toBe(false);
  expect(await batchProgress(site.client, 'waits')).toMatchObject({ tells: 'slack' });
  await expect.poll(() => waitingMessages(site.client, 'waits')).toEqual([{ event: 'batch.completed', trouble: null }]);
  const before = await run('status', 'waits');
  expect(before.stdout).toContain('messages cannot be sent yet: no orchestrator has PIXART_SLACK_URL');
  expect(before.stdout).toContain('messages waiting: batch.completed');
  expect(posted).toEqual([]);

  await site.tell({ PIXART_SLACK_URL: `${origin()}/slack/${KEY}`, PIXART_COST_PER_HOUR: '2.5' });
  const { text, blocks } = JSON.parse(await postedTo(`/slack/${KEY}`)) as SlackMessage;
  expect(text).toBe('Batch waits completed, 1 failed');
  const said = JSON.stringify(blocks);
  expect(said).toContain('2 of 3');
  expect(said).toContain('1 × UserError: this picture <cannot> be made');
  expect(said).toMatch(/Cost\\n0\.\d{4}/);
  expect(said).toContain('this store has no public address (PIXART_STORE_LINKS)');
  await expect.poll(() => waitingMessages(site.client, 'waits')).toEqual([]);
  expect((await run('status', 'waits')).stdout).not.toMatch(/messages waiting|not delivered/);
});

it('an event for a webhook waits the same way, and is signed and posted once there is a secret', async () => {
  await submit('signed', `${origin()}/signed`, ['a fox,256']);
  await batchEnd(site.client, 'signed');
  expect((await run('status', 'signed')).stdout).toContain('no orchestrator has PIXART_WEBHOOK_SECRET. Set it');
  await site.tell({ PIXART_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}` });
  expect(JSON.parse(await postedTo('/signed'))).toMatchObject({ type: 'batch.completed', data: { batch: 'signed' } });
});

it('an orchestrator with an invalid secret or address does not start, and does not show it', async () => {
  for (const [variable, value] of [
    ['PIXART_WEBHOOK_SECRET', 'hunter2'],
    ['PIXART_SLACK_URL', 'hooks/hunter2'],
    ['PIXART_TEAMS_URL', 'https://flows.example/hunter2'],
    ['PIXART_SMTP_URL', 'smtp:hunter2'],
  ] as const) {
    const started = site.tell({ [variable]: value });
    await expect(started, variable).rejects.toBeInstanceOf(UserError);
    await expect(started, variable).rejects.not.toThrow(/hunter2/);
  }
  await expect(site.tell({ PIXART_COST_PER_HOUR: 'much' })).rejects.toThrow('expected an amount such as 2.5');
  await expect(site.tell({ PIXART_STORE_LINKS: 'gs://studio' })).rejects.toThrow(
    'PIXART_STORE_LINKS: expected a store',
  );
});

it('submit warns that no worker can send the messages yet, and says what one would need', async () => {
  const catalog = await site.catalog('unheard.csv', ['a fox,256']);
  const options = ['--store', site.store.url, '--batch', 'unheard', '--webhook', 'slack:unheard'];
  const { code, stderr } = await run('submit', catalog, ...options);
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      'messages cannot be sent yet: no orchestrator has PIXART_SLACK_URL_UNHEARD. Set it',
    ),
  });
  expect((await run('cancel', 'unheard')).code).toBe(0);
});

it("no history contains a channel's key, or a mail server's user and password", async () => {
  const found: string[] = [];
  for await (const { workflowId, runId } of site.client.temporal.workflow.list()) {
    found.push(textOf(await site.client.temporal.workflow.getHandle(workflowId, runId).fetchHistory()));
  }
  expect(found.some((history) => history.includes('batch.completed'))).toBe(true);
  expect(found.filter((history) => history.includes('a-key-to-a-channel'))).toEqual([]);
});

it("a Teams channel shows thumbnails from the store's public address", async () => {
  const url = `${origin()}/teams`;
  await site.tell({ PIXART_TEAMS_URL_ART: url, PIXART_STORE_LINKS: `${site.store.url}=https://images.studio.example` });
  await submit('shown', 'teams:art');
  const message = JSON.parse(await postedTo('/teams')) as TeamsMessage;
  expect(message).toMatchObject({
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive' }],
  });
  const card = message.attachments[0].content;
  const picture = card.body.find((element) => element.type === 'Image');
  expect(picture?.url).toMatch(
    /^https:\/\/images\.studio\.example\/batches\/shown\/_sheet\/message-[0-9a-f]{16}\.jpg$/,
  );
  const object = new URL(picture!.url).pathname.slice(1);
  expect(await sharp(await site.store.read(object)).metadata()).toMatchObject({ format: 'jpeg' });
  expect(card.actions).toContainEqual({
    type: 'Action.OpenUrl',
    title: 'Review page',
    url: 'https://images.studio.example/batches/shown/contact-sheet.html',
  });
});

it('after each run, a schedule reports by mail: the run with its thumbnails, earlier runs, and the next', async () => {
  await site.tell(mailEnvironment());
  const catalog = await site.catalog('nightly.csv', ['a moon,256', 'an impossible sun,256']);
  await createSchedule(site.client, {
    name: 'nightly',
    when: { cron: '0 22 * * *' },
    timeZone: 'Europe/Berlin',
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
    webhook: 'mailto:lead@studio.example',
  });
  await triggerSchedule(site.client, 'nightly');
  await expect.poll(() => mails.received.length, { timeout: 40_000 }).toBe(1);
  // Batch names have the time to the second.
  await expect.poll(async () => new Date().getMilliseconds()).toBeLessThan(400);
  await triggerSchedule(site.client, 'nightly');
  await expect.poll(() => mails.received.length, { timeout: 40_000 }).toBe(2);
  await deleteSchedule(site.client, 'nightly');

  const [first, second] = mails.received.map(({ mail }) => mail);
  expect(mails.received[0]?.to).toEqual(['lead@studio.example']);
  expect(first?.subject).toMatch(/^Batch nightly-\d{8}T\d{6}Z completed, 1 failed$/);
  expect(first?.text).toMatch(/^Next run: \d{4}-\d\d-\d\d 22:00 \+0[12]:00 \(Europe\/Berlin\)$/m);
  expect(first?.text).toMatch(/^- 1 × UserError: this picture <cannot> be made$/m);
  expect(first?.text).toMatch(/^Cost: 0\.\d{4}/m);
  expect(first?.text).not.toContain('Nights before');
  expect(second?.text).toMatch(/Nights before:\n\d{4}-\d\d-\d\d \d\d:\d\d \+0[12]:00: completed, 1 failed, 1 of 2/);
  expect(first?.html).toContain('this picture &lt;cannot&gt; be made');
  const [thumbnails] = first?.attachments ?? [];
  expect(thumbnails).toMatchObject({ cid: 'thumbnails', contentType: 'image/jpeg' });
  expect(await sharp(thumbnails!.content).metadata()).toMatchObject({ format: 'jpeg' });
  expect(first?.messageId).not.toBe(second?.messageId);
});

it('planning warns about a receiver that may not get messages', async () => {
  const told = mails.received.length;
  const catalog = await site.catalog('wrong.csv', ['a moon,256']);
  const webhook = 'mailto:spy@evil.example';
  await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch: 'wrong', webhook });
  expect(await batchEnd(site.client, 'wrong')).toMatchObject({
    result: { warnings: [expect.stringContaining('mailto:spy@evil.example')] },
  });
  expect(mails.received.length).toBe(told);
});

it('parts of a batch that cannot be read are left out, and the message says so', async () => {
  await submit('bare', 'slack:late', ['a fen,256']);
  await batchEnd(site.client, 'bare');
  await site.store.replace('batches/bare/manifest-1.jsonl', Buffer.from('{}\n'), 'application/x-ndjson');
  await site.tell({ PIXART_SLACK_URL_LATE: `${origin()}/late` });
  const { text, blocks } = JSON.parse(await postedTo('/late')) as SlackMessage;
  expect(text).toBe('Batch bare completed');
  expect(JSON.stringify(blocks)).toContain('1 of 1');
  expect(JSON.stringify(blocks)).toContain('Time, cost and the reasons for failed rows are not known: ');
});
