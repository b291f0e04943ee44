import { expect, test } from 'vitest';
import { ridOfSecrets, withoutSecrets } from '../../domain/secrets.ts';

const S = 'Zq7SECRETvalue99';

test.each([
  ['an access token', `invalid token ya29.${S}`],
  ['a bearer', `request failed with Authorization: Bearer ${S}`],
  ['a bearer in metadata', `Metadata string value "Bearer ${S}" contains illegal characters`],
  ['a header in JSON', JSON.stringify({ headers: { Authorization: `Bearer ${S}`, 'x-api-key': S } })],
  ['a header in JSON in JSON', JSON.stringify(JSON.stringify({ authorization: `Bearer ${S}` }))],
  [
    'a signed address',
    `GET https://storage.googleapis.com/b/o?X-Goog-Credential=a%40b&X-Goog-Signature=${S}&x=1 failed`,
  ],
  ['an address of Amazon', `https://b.s3.amazonaws.com/o?X-Amz-Security-Token=${S}`],
  ['an address of Azure', `https://a.blob.core.windows.net/c?sv=2024&sig=${S}`],
  ['an upload session', `https://storage.googleapis.com/upload?uploadType=resumable&upload_id=${S}`],
  ['a key in an address', `https://example.org/hook?key=${S}`],
  ['a password in an address', `gs://user:p@ss-${S}@bucket/catalog.csv`],
  ['a user name that is a token', `https://${S}@example.org/x`],
  ['a private key', `{"private_key":"-----BEGIN PRIVATE KEY-----\\n${S}\\n-----END PRIVATE KEY-----\\n"}`],
  ['a private key that was cut', `bad key: -----BEGIN RSA PRIVATE KEY-----\n${S}`],
  ['a web token', `refused eyJhbGciOiJIUzI1NiJ9.eyJ${S}.${S}`],
  ['a pair', `access_token=${S}`],
  ['a pair in JSON', `{"refresh_token": "${S}", "client_secret":"${S}"}`],
  ['a header', `x-goog-iam-authorization-token: ${S}`],
  ['a password of a basic login', `Basic dXNlcjpwYXNz${S}`],
  ['an address of a channel in Slack', `cannot post to https://hooks.slack.com/services/T0/B0/${S}`],
  ['a key of a maps service', `AIza${S}${S}${S}`],
])('%s is taken out', (_, text) => {
  expect(withoutSecrets(text, [], {})).not.toContain(S);
});

test('what a variable of this process holds is taken out whatever it looks like', () => {
  const env = {
    PIXART_TEAMS_URL_ART: 'https://flows.example/run',
    TEMPORAL_API_KEY: 'plain words with spaces',
    GOOGLE_APPLICATION_CREDENTIALS: '/home/me/key-file.json',
  };
  expect(withoutSecrets('found "plain words with spaces" in /home/me/key-file.json', [], env)).toBe(
    'found "…" in /home/me/key-file.json',
  );
  expect(withoutSecrets('POST https://flows.example/run', [], env)).toBe('POST …');
  expect(withoutSecrets('key of the file: another plain one', ['another plain one'], {})).toBe('key of the file: …');
});

test.each([
  'PIXART_WEBHOOK_SECRET: expected "whsec_" and base64 of 24 to 64 bytes in the environment of the orchestrator, found none',
  'webhook: expected https://… (http:// on this machine only) without user name and password, found ftp://example.org',
  "store gs://b/p: could not write a: the bucket's encryption key cannot be used; Cloud Storage said: token: unauthorized",
  'Basic authentication is not allowed, and a bearer token is missing',
  'catalog.csv: line 3, id: expected an id that no other row has, found "monkey-1", already used in line 2',
  'https://storage.googleapis.com/bucket/objects/0123abcd.png?generation=17&alt=media',
  'tokens at most 300 deep; token 12: "▁fox"',
  'write to team@example.org about gs://bucket/a@b.csv',
])('a message without a secret stays as it is: %s', (text) => {
  expect(withoutSecrets(text, [], {})).toBe(text);
});

test('JSON stays JSON', () => {
  const value = {
    a: `Bearer ${S}`,
    token: S,
    url: `https://u:${S}@h/?key=${S}`,
    k: `-----BEGIN PRIVATE KEY-----\n${S}`,
    n: 1,
  };
  const found = JSON.parse(withoutSecrets(JSON.stringify(value), [], {}));
  expect(Object.keys(found)).toEqual(Object.keys(value));
  expect(JSON.stringify(found)).not.toContain(S);
});

test('long texts are handled in linear time', () => {
  for (const piece of ['a-', 'token', '://', '?key', '-----BEGIN PRIVATE KEY-----', 'Bearer ', 'eyJ', 'x@'])
    expect(withoutSecrets(piece.repeat(200_000 / piece.length), [], {})).not.toBe('');
});

test('an error keeps its class and loses its secrets, with all that caused it', () => {
  const first = new TypeError(`fetch https://u:${S}@host failed`);
  const second = new Error(`could not: ${first.message}`, { cause: first });
  const all = new AggregateError([new Error(`token=${S}`)], 'several', { cause: second });
  first.cause = all;
  expect(ridOfSecrets(all)).toBe(all);
  for (const error of [all, second, first, all.errors[0] as Error]) {
    expect(`${error.message}\n${error.stack}`).not.toContain(S);
  }
  expect(first).toBeInstanceOf(TypeError);
  expect(first.message).toBe('fetch https://…@host failed');
});
