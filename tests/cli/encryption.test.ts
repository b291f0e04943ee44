import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EXIT } from '../../cli/main.ts';
import { readKeyring } from '../../encryption/read-keyring.ts';
import { runHere } from './run-here.ts';

let file: string;

beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'pixart-new-key-')), 'keys.txt');
});

afterEach(() => rmSync(join(file, '..'), { recursive: true }));

const newKey = (...args: string[]) => runHere(['encryption', 'new-key', ...args]);

test('a new key is printed alone, and can be used as it is', async () => {
  const { code, stdout, stderr } = await newKey();
  expect([code, stderr]).toEqual([EXIT.ok, '']);
  const ring = await readKeyring({ PIXART_ENCRYPTION_KEYS: stdout });
  expect(stdout).toMatch(new RegExp(`^${ring!.current.name}:\\S{44}\\n$`));
});

test('only its owner can read a new key file; later keys are appended, and the first stays current', async () => {
  const first = await newKey('--file', file);
  expect(first.stderr).toContain(`set PIXART_ENCRYPTION_KEY_FILE=${file}`);
  const { current } = (await readKeyring({ PIXART_ENCRYPTION_KEY_FILE: file }))!;
  expect(first.stdout).toBe(`${file}: added key ${current.id}\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  const second = await newKey('--file', file);
  expect(second.stderr).toContain('move its line to the top to encrypt with it');
  const ring = (await readKeyring({ PIXART_ENCRYPTION_KEY_FILE: file }))!;
  expect(ring.current.id).toBe(current.id);
  expect(ring.byId(/added key (\S+)/.exec(second.stdout)![1]!)).toBeDefined();
});

test('a file that holds no keys is left as it is', async () => {
  writeFileSync(file, 'dear diary\n');
  const { code, stderr } = await newKey('--file', file);
  expect(code).toBe(EXIT.badInput);
  expect(stderr).toContain(`${file}, line 1: expected a key as name:key`);
  expect(readFileSync(file, 'utf8')).toBe('dear diary\n');
});
