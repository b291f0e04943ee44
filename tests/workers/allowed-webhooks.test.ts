import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { allowanceOf } from '../../workers/allowance.ts';
import { allowedPost, checkWebhook, postTo } from '../../workers/allowed-webhooks.ts';

let receiver: Server;
let port: number;
let hosts: (string | undefined)[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    hosts.push(request.headers.host);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  port = (receiver.address() as AddressInfo).port;
});

beforeEach(() => {
  hosts = [];
});

afterAll(() => new Promise((closed) => receiver.close(closed)));

const usual = allowanceOf([]);
const check =
  (url: string, allowed = usual) =>
  () =>
    checkWebhook(allowed, url);

test('without a word https is allowed at public addresses alone', () => {
  for (const url of ['https://hooks.example.com/x', 'https://8.8.8.8/', 'https://[2606:4700::1111]:8443/']) {
    expect(check(url), url).not.toThrow();
  }
  for (const url of [
    ...[
      'http://localhost:8080/',
      'http://127.0.0.1/',
      'https://127.0.0.1/',
      'https://localhost/',
      'https://a.localhost/',
    ],
    ...[
      'https://localhost./',
      'https://10.0.0.1/',
      'https://[::1]/',
      'https://[::ffff:127.0.0.1]/',
      'https://2130706433/',
    ],
    ...['https://0x7f.1/', 'https://169.254.169.254/latest'],
  ]) {
    expect(check(url), url).toThrow(/^webhook https?:\/\/.*: expected a place that the workers .* --allow '?http/);
  }
  expect(check('http://hooks.example.com/')).toThrow('webhook: expected https://');
});

test('where hosts are named they alone are allowed, wherever they lie, and by their whole name and port', () => {
  const named = allowanceOf(['https://hooks.example.com', 'http://localhost:8080']);
  for (const url of ['https://hooks.example.com/x?y', 'https://HOOKS.example.com:443/', 'http://localhost:8080/z']) {
    expect(check(url, named), url).not.toThrow();
  }
  for (const url of [
    ...[
      'https://hooks.example.com.evil.example/',
      'https://example.com/',
      'https://hooks.example.com:8443/',
      'http://localhost/',
    ],
    ...['https://hooks.example.com@example.com/', 'http://127.0.0.1:8080/'],
  ]) {
    expect(check(url, named), url).toThrow(UserError);
  }
});

test('a name that leads into a private network is refused before anything is sent', async () => {
  for (const address of ['127.0.0.1', '10.0.0.8', '169.254.169.254']) {
    const post = allowedPost(usual, async () => [{ address, family: 4 }]);
    const sent = post(new URL(`https://hooks.example.com:${port}/`), {}, '{}');
    await expect(sent).rejects.toThrow('found a name that resolves to an address that is not public');
    await expect(sent).rejects.toThrow(UserError);
  }
  expect(hosts).toEqual([]);
});

test('the connection goes to the address that was looked at, whatever the name means by then', async () => {
  const url = new URL(`http://name-of-nobody.invalid:${port}/`);
  expect(await postTo([{ address: '127.0.0.1', family: 4 }], url, {}, '{}')).toBe(204);
  expect(hosts).toEqual([url.host]);
});

test('a host of this machine is told what it is named for', async () => {
  const origin = `http://127.0.0.1:${port}`;
  await expect(allowedPost(usual)(new URL(origin), {}, '{}')).rejects.toThrow(UserError);
  expect(hosts).toEqual([]);
  expect(await allowedPost(allowanceOf([origin]))(new URL(`${origin}/x`), {}, '{}')).toBe(204);
});
