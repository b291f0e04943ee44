import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withoutSecrets } from '../../domain/secrets.ts';
import { UserError } from '../../domain/user-error.ts';
import { readKeyring } from '../../encryption/read-keyring.ts';
import { seal, unseal } from '../../encryption/sealed.ts';
import { openssl } from '../openssl.ts';
import { keyring, lineOf } from './keys.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixart-keys-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const [first, second] = [lineOf('first'), lineOf('second')];
const text = `# for tests\n${first}\r\n\n  ${second}\n`;

function keyFile(content = text, mode = 0o600): string {
  const path = join(folder, 'keys.txt');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

async function expectBothKeys(env: NodeJS.ProcessEnv): Promise<void> {
  const ring = (await readKeyring(env))!;
  expect(ring.current.name).toBe('first');
  for (const line of [first, second]) {
    expect(unseal(ring, seal(keyring(line), Buffer.from('fox'), 'a'), 'a').toString()).toBe('fox');
  }
}

test('without any of the variables there are no keys', async () => {
  expect(await readKeyring({ PIXART_ENCRYPTION_KEYS: '' })).toBeNull();
});

test('keys come from a file, whose first key is the current one', () =>
  expectBothKeys({ PIXART_ENCRYPTION_KEY_FILE: keyFile() }));

test('keys come from the environment, with commas between them', () =>
  expectBothKeys({ PIXART_ENCRYPTION_KEYS: `${first},${second}` }));

describe('a command that unwraps the keys', () => {
  const run = (command: string) => ({ ...process.env, PIXART_ENCRYPTION_KEY_COMMAND: command });

  test('is run and prints the keys', async () => {
    // A key service does the same: it holds a private key and decrypts what was encrypted for it.
    const [key, wrapped] = [join(folder, 'service.pem'), join(folder, 'keys.cms')];
    openssl([
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=keys',
      '-keyout',
      key,
      '-out',
      `${key}.crt`,
    ]);
    openssl(['cms', '-encrypt', '-aes256', '-binary', '-outform', 'DER', '-out', wrapped, `${key}.crt`], text);
    await expectBothKeys(run(`openssl cms -decrypt -binary -inform DER -in '${wrapped}' -inkey '${key}'`));
  });

  test('that fails is reported with its complaint', async () => {
    await expect(readKeyring(run('echo "permission denied on cryptoKeys/prompts" >&2; exit 7'))).rejects.toThrow(
      'PIXART_ENCRYPTION_KEY_COMMAND: expected it to print encryption keys, found exit code 7 (permission denied on cryptoKeys/prompts)',
    );
  });

  test('that prints something else is reported without its output', async () => {
    const error = await readKeyring(run('echo hunter2')).catch((error: Error) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toMatch(
      /^what PIXART_ENCRYPTION_KEY_COMMAND prints, line 1: expected a key as name:key/,
    );
    expect((error as Error).message).not.toContain('hunter2');
  });
});

test('keys in two places are refused', async () => {
  const env = { PIXART_ENCRYPTION_KEYS: first, PIXART_ENCRYPTION_KEY_FILE: keyFile() };
  await expect(readKeyring(env)).rejects.toThrow(
    'expected the encryption keys in one place, found PIXART_ENCRYPTION_KEY_FILE and PIXART_ENCRYPTION_KEYS; unset all but one',
  );
});

test.each([0o640, 0o604, 0o660])('a file that others can access is refused: mode %o', async (mode) => {
  await expect(readKeyring({ PIXART_ENCRYPTION_KEY_FILE: keyFile(text, mode) })).rejects.toThrow(
    /expected .*keys\.txt to be accessible to its owner only, found mode 6\d\d: run "chmod 600 /,
  );
});

test('a missing file is named', async () => {
  await expect(readKeyring({ PIXART_ENCRYPTION_KEY_FILE: join(folder, 'none') })).rejects.toThrow(
    /^PIXART_ENCRYPTION_KEY_FILE: expected a readable file of keys at .*none, found none \(ENOENT\)/,
  );
});

test.each([
  [
    'no key',
    '# nothing yet\n',
    'expected at least one key, found none. Make one with "npx pixart-batch encryption new-key"',
  ],
  ['a key that comes twice', `${first}\n${first}`, 'expected each key once, found first.'],
  ['a key that is too short', `${first}\nsecond:c2hvcnQ=`, 'line 2: expected a key as name:key'],
  ['a key without a name', first.replace('first:', ''), 'line 1: expected a key as name:key'],
])('%s is reported', async (_, content, message) => {
  await expect(readKeyring({ PIXART_ENCRYPTION_KEY_FILE: keyFile(content) })).rejects.toThrow(message);
});

test('keys in the environment are removed from whatever is logged', () => {
  const env = { PIXART_ENCRYPTION_KEYS: first };
  expect(withoutSecrets(`the environment: ${first}`, [], env)).toBe('the environment: …');
});
