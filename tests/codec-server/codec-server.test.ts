import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Access } from '../../codec-server/access.ts';
import { type CodecServer, type CodecServerOptions, startCodecServer } from '../../codec-server/server.ts';
import { EncryptionCodec } from '../../encryption/payload-codec.ts';
import { freePort } from '../../infra/dev/ports.ts';
import { keyring, lineOf } from '../encryption/keys.ts';
import { type IdentityProvider, identityProvider } from './identity-provider.ts';

const UI = 'http://127.0.0.1:8233';
const TOKEN = 'a-token-that-nobody-guesses-in-time';
const ring = keyring(lineOf('tonight'));

let provider: IdentityProvider;
let server: CodecServer;
let said: Record<string, unknown>[];

beforeAll(async () => {
  provider = await identityProvider();
  server = await startCodecServer(options());
});

const note = (about: object, message: string): void => void said.push({ ...about, message });

const options = (): CodecServerOptions => ({
  codec: new EncryptionCodec(ring),
  access: new Access({ token: TOKEN, jwt: provider.jwt }),
  origins: [UI, 'https://temporal.example.com'],
  host: '127.0.0.1',
  port: 0,
  log: { info: note, warn: note },
});

beforeEach(() => {
  said = [];
});

afterAll(async () => {
  await server?.stop();
  provider?.stop();
});

const json = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata!).map(([name, value]) => [name, base64(value)])),
  data: base64(data!),
});
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const plain = (text: string): Payload => defaultPayloadConverter.toPayload(text)!;
const encrypted = async (text: string, by = ring): Promise<Payload> =>
  (await new EncryptionCodec(by).encode([plain(text)]))[0]!;

const post = (path: string, headers: Record<string, string>, body: string | ReadableStream): Promise<Response> =>
  fetch(`${server.url}${path}`, { method: 'POST', body, headers, redirect: 'manual', duplex: 'half' } as RequestInit);

async function ask(headers: Record<string, string>, path = '/decode'): Promise<Response> {
  const body = JSON.stringify({ payloads: [json(await encrypted('a fox in the snow'))] });
  return post(path, { 'Content-Type': 'application/json', 'X-Namespace': 'default', ...headers }, body);
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function expectDecoded(response: Response): Promise<void> {
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ payloads: [json(plain('a fox in the snow'))] });
}

test('a caller with the token gets decrypted payloads, and the log says who asked in which namespace, not for what', async () => {
  await expectDecoded(await ask(bearer(TOKEN)));
  await expectDecoded(await ask(bearer(TOKEN), '/default/decode?preserveStorageRefs=true'));
  expect(said[0]).toEqual({ caller: 'token', namespace: 'default', payloads: 1, message: 'decoded' });
  expect(JSON.stringify(said)).not.toContain('fox');
});

test.each([
  ['nothing', {}],
  ['another token', bearer(`${TOKEN}x`)],
  ['the beginning of the token', bearer(TOKEN.slice(0, -1))],
  ['the token in another scheme', { Authorization: `Basic ${TOKEN}` }],
  ['a made-up cookie', { Cookie: `pixart-codec=9999999999999.${'a'.repeat(64)}` }],
])('whoever sends %s is refused, with what is expected', async (_, headers) => {
  const response = await ask(headers as Record<string, string>);
  expect(response.status).toBe(401);
  const { message } = (await response.json()) as { message: string };
  expect(message).toMatch(
    /^expected the codec server's token, .*or a token of https:\/\/id.example.com\/ for temporal/,
  );
  expect(said).toEqual([]);
});

describe('a token of the identity provider', () => {
  test('is enough, whether the UI passes it as the access token or, beside an opaque one, as the ID token', async () => {
    await expectDecoded(await ask(bearer(await provider.token())));
    await expectDecoded(await ask({ ...bearer('opaque'), 'Authorization-Extras': await provider.token() }));
    expect(said.map(({ caller }) => caller)).toEqual(['ada', 'ada']);
  });

  test.each([
    ['has expired', () => provider.token({ exp: 1_000_000_000 })],
    ['never expires', () => provider.token({ exp: undefined })],
    ['is for somebody else', () => provider.token({ aud: 'another' })],
    ['is of another issuer', () => provider.token({ iss: 'https://evil.example.com/' })],
    ['is signed by somebody else', () => provider.token({}, false)],
    ['does not say which of the keys it is signed with', () => provider.token({}, true, null)],
    ['is not signed', async () => unsigned(await provider.token())],
  ])('that %s is refused', async (_, token) => {
    expect((await ask(bearer(await token()))).status).toBe(401);
    expect(said).toEqual([]);
  });
});

test('while the identity provider does not answer, nothing is decoded, and the log says why', async () => {
  const port = await freePort(null);
  const jwks = new URL(`http://127.0.0.1:${port}/jwks.json`);
  const away = await startCodecServer({
    ...options(),
    access: new Access({ token: null, jwt: { ...provider.jwt, jwks } }),
  });
  const response = await fetch(`${away.url}/decode`, { method: 'POST', headers: bearer(await provider.token()) });
  expect(response.status).toBe(500);
  expect(said).toEqual([expect.objectContaining({ message: 'a request could not be answered' })]);
  expect((await fetch(away.url)).status).toBe(404);
  await away.stop();
});

const unsigned = (token: string): string =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;

describe('a person who signs in', () => {
  const form = (token: string) =>
    post('/', { 'Content-Type': 'application/x-www-form-urlencoded', Origin: server.url }, `token=${token}`);

  test('gets a cookie that scripts and other sites cannot use, and decrypted payloads with it', async () => {
    expect(await (await fetch(server.url)).text()).toContain('type="password"');
    const response = await form(TOKEN);
    expect(response.status).toBe(303);
    const cookie = response.headers.get('set-cookie')!;
    expect(cookie).toMatch(/; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const [Cookie] = cookie.split(';') as [string];
    await expectDecoded(await ask({ Cookie, Origin: UI }));
    expect(await (await fetch(server.url, { headers: { Cookie } })).text()).toContain('You are signed in');
    const later = Cookie.replace(/\d{13}/, (until) => String(Number(until) + 1));
    expect((await ask({ Cookie: later })).status).toBe(401);
  });

  test('with a wrong token gets none', async () => {
    const response = await form('guess');
    expect([response.status, response.headers.get('set-cookie')]).toEqual([401, null]);
  });

  test('is signed out after twelve hours', async () => {
    const { value } = new Access({ token: TOKEN, jwt: null }).signIn(Date.now() - 13 * 3_600_000);
    expect((await ask({ Cookie: `pixart-codec=${value}` })).status).toBe(401);
  });
});

test('pages of the UI may ask, with all headers that the UI sends, and pages from elsewhere get nothing', async () => {
  const preflight = (Origin: string) =>
    fetch(`${server.url}/decode`, {
      method: 'OPTIONS',
      headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-namespace' },
    });
  const allowed = await preflight('https://temporal.example.com');
  expect(allowed.status).toBe(204);
  expect(Object.fromEntries(allowed.headers)).toMatchObject({
    'access-control-allow-origin': 'https://temporal.example.com',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'Content-Type, X-Namespace, Authorization, Authorization-Extras',
    vary: 'Origin',
  });
  for (const origin of ['https://evil.example.com', 'http://127.0.0.1:8233.evil.example.com', 'null']) {
    for (const response of [await preflight(origin), await ask({ Origin: origin, ...bearer(TOKEN) })]) {
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
  }
});

test('payloads that cannot be decoded or were never encrypted are returned unchanged beside the rest', async () => {
  const foreign = await encrypted('an owl', keyring(lineOf('lost')));
  const broken = { ...(await encrypted('an elk')), data: new Uint8Array(40) };
  const stored = { ...json(plain('a lynx')), externalPayloads: [{ sizeBytes: '7' }] };
  const fox = await encrypted('a fox');
  const payloads = [
    json(foreign),
    json(broken),
    stored,
    json(fox),
    { metadata: { encoding: base64(Buffer.from('binary/null')) } },
  ];
  const response = await post('/decode', bearer(TOKEN), JSON.stringify({ payloads }));
  const answered = (await response.json()) as { payloads: unknown[] };
  expect(answered.payloads.slice(0, 4)).toEqual([json(foreign), json(broken), stored, json(plain('a fox'))]);
  expect(said.map(({ message }) => message)).toEqual(['a key is missing', 'a payload is damaged', 'decoded']);
  expect(said[0]).toMatchObject({ reason: expect.stringMatching(/expected encryption key "lost/) });
});

test.each([
  ['no JSON', 'payloads'],
  ['another shape', '{"payloads":{}}'],
  ['what is no base64', '{"payloads":[{"metadata":{"encoding":"binary/encrypted"},"data":"%%"}]}'],
])('%s is refused', async (_, body) => {
  expect((await post('/decode', bearer(TOKEN), body)).status).toBe(400);
});

test('a body larger than a page of Temporal’s UI can send is refused before it is read, with or without its length', async () => {
  const long = 'x'.repeat(9 * 2 ** 20);
  // The server closes the connection while the rest is being sent, which a client may notice before the answer.
  const refused = { status: 413 };
  const outcome = (response: Promise<Response>) =>
    response.then(
      ({ status }) => ({ status }),
      () => refused,
    );
  expect(await outcome(post('/decode', bearer(TOKEN), long))).toEqual(refused);
  expect(await outcome(post('/decode', bearer(TOKEN), new Blob([long]).stream()))).toEqual(refused);
  await expectDecoded(await ask(bearer(TOKEN)));
});

test('nothing is encoded, and other methods and places are refused', async () => {
  expect((await ask(bearer(TOKEN), '/encode')).status).toBe(404);
  for (const path of ['/a/b/decode', '//', '//:/decode']) expect((await ask(bearer(TOKEN), path)).status).toBe(404);
  expect(said).toEqual([]);
  const got = await fetch(`${server.url}/decode`, { headers: bearer(TOKEN) });
  expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST, OPTIONS']);
});
