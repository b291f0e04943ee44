import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Post } from '../../activities/index.ts';
import { createPostWebhook } from '../../activities/post-webhook.ts';
import { checkWebhookUrl } from '../../domain/webhook-url.ts';
import { allowedPost } from '../../workers/allowed-webhooks.ts';
import type { WebhookDelivery } from '../../workflows/contract/webhook.ts';

const SECRET = `whsec_${Buffer.from('a secret of 32 bytes, not for use').toString('base64')}`;

let server: Server;
let received: { headers: IncomingHttpHeaders; body: string }[];
let status: number;
let delivery: WebhookDelivery;
let post: Post;

beforeEach(async () => {
  received = [];
  status = 204;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:9/elsewhere' } : {}).end('an answer');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  post = allowedPost({ origins: [origin] });
  delivery = {
    url: `${origin}/hooks/of/ours?room=7`,
    id: 'batch/night/batch.completed/1-0',
    event: {
      type: 'batch.completed',
      timestamp: '2026-11-25T03:00:00.000Z',
      data: { batch: 'night', round: 1, store: 'file:///out' },
    },
  };
});

afterEach(() => new Promise((closed) => server.close(closed)));

it('an event is posted with a signature that the receiver can check by the secret alone', async () => {
  await createPostWebhook(SECRET, post)(delivery);
  const [{ headers, body }] = received as [(typeof received)[0]];
  expect(JSON.parse(body)).toEqual(delivery.event);
  expect(headers['webhook-id']).toBe(delivery.id);
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  expect(() => new Webhook(SECRET).verify(body, headers as Record<string, string>)).not.toThrow();
  expect(() => new Webhook(SECRET).verify(`${body} `, headers as Record<string, string>)).toThrow();
});

it('an answer other than 2xx is to be tried again, also a redirection, which is not followed; 410 is final', async () => {
  for (status of [500, 429, 404, 302]) {
    const failed = createPostWebhook(SECRET, post)(delivery).catch((error: unknown) => error);
    expect(await failed).toMatchObject({ message: expect.stringContaining(`to answer 2xx, found ${status}`) });
    expect(await failed).toMatchObject({ nonRetryable: false });
  }
  status = 410;
  await expect(createPostWebhook(SECRET, post)(delivery)).rejects.toMatchObject({
    type: 'WebhookGone',
    nonRetryable: true,
  });
});

it('an error names the host, and neither the path nor the secret', async () => {
  await new Promise((closed) => server.close(closed));
  const error = (await createPostWebhook(SECRET, post)(delivery).catch((caught: unknown) => caught)) as Error;
  expect(error.message).toMatch(/^webhook: 127\.0\.0\.1:\d+ cannot be reached: ECONNREFUSED$/);
  server.listen(0);
});

it('without a secret, or with one that is none, nothing is sent and the error says what to set', async () => {
  await expect(createPostWebhook(undefined, post)(delivery)).rejects.toThrow(
    'PIXART_WEBHOOK_SECRET: expected "whsec_"',
  );
  await expect(createPostWebhook('', post)(delivery)).rejects.toMatchObject({ nonRetryable: false });
  await expect(createPostWebhook('', post)(delivery)).rejects.toThrow('found none; the event waits: set');
  await expect(createPostWebhook('hunter2', post)(delivery)).rejects.toThrow(
    'found something else; the event waits: set',
  );
  await expect(createPostWebhook('whsec_AA==', post)(delivery)).rejects.toThrow('found 1 bytes; the event waits: set');
  await expect(createPostWebhook(SECRET, post)({ ...delivery, url: 'http://example.org/' })).rejects.toMatchObject({
    nonRetryable: true,
  });
  expect(received).toEqual([]);
});

it('only https addresses without credentials are taken, and http ones of this machine', () => {
  for (const url of ['https://example.org/hook', 'http://localhost:8080/', 'http://[::1]/x']) {
    expect(checkWebhookUrl(url).href).toContain('/');
  }
  for (const url of ['http://example.org/', 'https://me:pass@example.org/', 'file:///etc/passwd', 'hook', '']) {
    expect(() => checkWebhookUrl(url), url).toThrow('webhook: expected https://');
  }
  expect(() => checkWebhookUrl('https://me:hunter2@example.org/')).toThrow(
    /^webhook: expected https:\/\/(?!.*hunter2)/s,
  );
});
