import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Finding } from '../../cli/verbs/doctor/finding.ts';
import { nativePackages, nodeVersion, packages } from '../../cli/verbs/doctor/installation.ts';
import { clock } from '../../cli/verbs/doctor/machine.ts';
import { runHere } from './run-here.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'pixart-doctor-'));
  vi.stubEnv('PIXART_STATE', path.join(folder, 'state'));
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:1');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function findings(...options: string[]): Promise<{ code: number | null; of: Map<string, Finding> }> {
  const { code, stdout } = await runHere(['doctor', '--json', '--store', path.join(folder, 'out'), ...options]);
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  return { code, of: new Map(all.map((finding) => [finding.what, finding])) };
}

test('a machine that runs the tests lacks only the named server', async () => {
  const { code, of } = await findings();
  expect(code).toBe(2);
  const missing = [...of.values()].filter(({ state }) => state === 'missing');
  expect(missing).toEqual([
    expect.objectContaining({ what: 'Temporal server', found: expect.stringContaining('127.0.0.1:1') }),
  ]);
  expect(of.get('bundle')).toMatchObject({ state: 'ok', found: expect.stringContaining('pixart-icons') });
});

test('if no server is named, none has to run, and nothing is missing', async () => {
  vi.stubEnv('TEMPORAL_ADDRESS', '');
  // Left by a "dev" that has ended.
  mkdirSync(path.join(folder, 'state'));
  const server = { address: '127.0.0.1:1', uiUrl: null, namespaceId: 'a' };
  writeFileSync(path.join(folder, 'state', 'server.json'), JSON.stringify(server));
  const { code, of } = await findings();
  expect(of.get('Temporal server')).toMatchObject({ state: 'optional', remedy: '"npx pixart-batch dev" runs one' });
  expect(code).toBe(0);
});

test('missing items are listed with how to get them', async () => {
  vi.stubEnv('PATH', folder);
  vi.stubEnv('XDG_CACHE_HOME', folder);
  const { code, of } = await findings('--bundle', 'no-such-bundle', '--device', 'cuda:7');
  expect(code).toBe(2);
  expect(of.get('Temporal program')).toMatchObject({ state: 'missing', remedy: expect.stringContaining('npm start') });
  expect(of.get('bundle')).toMatchObject({ state: 'missing', found: expect.stringContaining('no-such-bundle') });
});

test('the text output has the remedy below each finding', async () => {
  const { stdout } = await runHere(['doctor', '--store', path.join(folder, 'out')]);
  expect(stdout).toMatch(/^ok +Node\.js +\d/m);
  expect(stdout).toMatch(/^MISSING +Temporal server +.*\n +check --address and TEMPORAL_ADDRESS$/m);
});

test('a Node.js that is too old is reported', () => {
  expect(nodeVersion('20.8.1')).toMatchObject({ state: 'missing', found: '20.8.1' });
  expect(['20.9.0', '22.1.0'].map((version) => nodeVersion(version).state)).toEqual(['ok', 'ok']);
});

test('packages that are missing, of another version, or for another machine are named', () => {
  const zod = path.join(folder, 'node_modules', 'zod');
  mkdirSync(zod, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{}');
  writeFileSync(path.join(zod, 'package.json'), '{ "version": "0.0.1" }');
  expect(packages(folder)).toMatchObject({ state: 'missing', found: expect.stringContaining('is not installed') });
  const load = (name: string) => {
    if (name === 'sharp') throw new Error('wrong ELF class');
  };
  expect(nativePackages(load)).toMatchObject({ state: 'missing', found: 'sharp: wrong ELF class' });
});

test('a clock that was set back, or differs from the bucket, is reported', async () => {
  const state = path.join(folder, 'state');
  mkdirSync(state);
  expect(await clock('out', state)).toMatchObject({ state: 'ok' });
  const server = createServer((_, response) => {
    response.sendDate = false;
    response.setHeader('date', new Date(Date.now() - 3_600_000).toUTCString());
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('STORAGE_EMULATOR_HOST', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  expect(await clock('gs://team', state)).toMatchObject({ state: 'missing', remedy: expect.stringContaining('NTP') });
  server.close();
  const file = path.join(state, 'temporal.db');
  writeFileSync(file, '');
  const tomorrow = Date.now() / 1_000 + 86_400;
  utimesSync(file, tomorrow, tomorrow);
  expect(await clock('out', state)).toMatchObject({ state: 'missing', found: expect.stringContaining(state) });
});
