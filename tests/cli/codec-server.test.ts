import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXIT } from '../../cli/main.ts';
import { lineOf } from '../encryption/keys.ts';
import { runHere } from './run-here.ts';

const TOKEN = 'a-token-that-nobody-guesses-in-time';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixart-codec-server-'));
  writeFileSync(join(folder, 'open'), TOKEN, { mode: 0o644 });
  writeFileSync(join(folder, 'no.pem'), 'no certificate');
});

afterAll(() => rmSync(folder, { recursive: true }));

const keys = { PIXART_ENCRYPTION_KEYS: lineOf('tonight') };
const both = { ...keys, PIXART_CODEC_TOKEN: TOKEN };

test.each<[string, Record<string, string>, string[], string]>([
  ['no key', { PIXART_CODEC_TOKEN: TOKEN }, [], 'expected encryption keys, found none. Set PIXART_ENCRYPTION_KEY_FILE'],
  [
    'no way to authenticate',
    keys,
    [],
    'expected a token or an identity provider that says who may see prompts, found neither. Set PIXART_CODEC_TOKEN_FILE',
  ],
  ['a short token', { ...keys, PIXART_CODEC_TOKEN: 'secret' }, [], 'expected a token of at least 32 characters'],
  [
    'two tokens',
    { ...both, PIXART_CODEC_TOKEN_FILE: '/x' },
    [],
    'found PIXART_CODEC_TOKEN and PIXART_CODEC_TOKEN_FILE; unset one',
  ],
  [
    'half an identity provider',
    both,
    ['--jwt-issuer', 'https://id.example.com/'],
    'found no --jwt-audience and no --jwks',
  ],
  [
    'unencrypted keys of an identity provider',
    both,
    ['--jwks', 'http://id.example.com/'],
    'Expected an https:// address',
  ],
  [
    'a UI with a path',
    both,
    ['--ui', 'https://temporal.example.com/ui'],
    'Expected the origin of the UI, without a path',
  ],
  [
    'a certificate without a key',
    both,
    ['--tls-cert', '/x'],
    'expected --tls-cert and --tls-key together, found no --tls-key',
  ],
  ['a host name to listen on', both, ['--listen', 'localhost:8234'], 'Expected an IP address and a port'],
  [
    'an address of another machine',
    both,
    ['--listen', '192.0.2.1:8234'],
    '--listen: expected a free address on this machine',
  ],
])('with %s it does not start, and says what it expects', async (_, environment, args, message) => {
  const { code, stdout, stderr } = await runHere(['codec-server', ...args], environment);
  expect(stderr).toContain(message);
  expect([code, stdout]).toEqual([EXIT.badInput, '']);
  for (const secret of [TOKEN, keys.PIXART_ENCRYPTION_KEYS]) expect(stderr).not.toContain(secret);
});

test('a token file that others may read, and an invalid certificate, are refused', async () => {
  const open = await runHere(['codec-server'], { ...keys, PIXART_CODEC_TOKEN_FILE: join(folder, 'open') });
  expect(open.stderr).toMatch(
    /PIXART_CODEC_TOKEN_FILE: expected .*open to be accessible to its owner only, found mode 644: run "chmod 600/,
  );
  const pem = join(folder, 'no.pem');
  const tls = await runHere(['codec-server', '--listen', '127.0.0.1:0', '--tls-cert', pem, '--tls-key', pem], both);
  expect(tls.stderr).toContain('--tls-cert, --tls-key: expected a certificate and its key in PEM');
});
