import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { namespaceIdAt } from '../../infra/dev/temporal-answer.ts';
import { expectCode, pixartBatch, startPixartBatch } from './command-line.ts';

vi.setConfig({ testTimeout: 240_000 });

/** A server that starts on a busy machine answers late. */
const PATIENT_MS = 20_000;

let state: string;
let ports: { port: number; uiPort: number };

beforeAll(async () => {
  state = path.join(await mkdtemp(path.join(tmpdir(), 'pixart-server-')), 'state');
  ports = { port: await getPort(), uiPort: await getPort() };
});

afterAll(() => rm(path.dirname(state), { recursive: true }));

const start = () =>
  startPixartBatch(['server', '--state', state, '--port', `${ports.port}`, '--ui-port', `${ports.uiPort}`]);

test('a server stays at its address until it is told to stop, and comes back there with what it kept', async () => {
  const address = `127.0.0.1:${ports.port}`;
  const first = start();
  await first.said(new RegExp(`Temporal server {2}${address}\\nTemporal UI {6}http://127.0.0.1:${ports.uiPort}`));
  expect((await stat(state)).mode & 0o077).toBe(0);
  const id = await namespaceIdAt(address, PATIENT_MS);
  // A process that waits for nothing but promises ends by itself, some seconds later.
  await sleep(8_000);
  expect(await namespaceIdAt(address, PATIENT_MS)).toBe(id);
  first.signal('SIGTERM');
  expectCode(EXIT.ok, await first.finished);
  expect(await namespaceIdAt(address)).toBeNull();

  const second = start();
  await second.said(/Temporal server/);
  expect(await namespaceIdAt(address, PATIENT_MS)).toBe(id);
  second.signal('SIGINT');
  expectCode(EXIT.ok, await second.finished);
});

test('a server whose port somebody else has does not take another one', async () => {
  const first = start();
  await first.said(/Temporal server/);
  const other = await pixartBatch(['server', '--state', `${state}-2`, '--port', `${ports.port}`]);
  expectCode(EXIT.badInput, other);
  expect(other.stderr).toContain(`port ${ports.port}: address already in use`);
  first.signal('SIGTERM');
  await first.finished;
});
