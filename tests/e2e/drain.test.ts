import getPort from 'get-port';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { batchEnd, cancelBatch } from '../../client/index.ts';
import { type Fleet, startFleet, untilComputing } from './fleet.ts';
import type { WorkerProcess } from './worker-process.ts';

// Several processes start and stop in each test.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const TOLD = 'told to drain: accepts no new work, finishes what is in hand, then exits';

let fleet: Fleet;
let health: string;

beforeAll(async () => {
  const address = `127.0.0.1:${await getPort()}`;
  health = `http://${address}/health`;
  // Told to stop it would hand back everything at once.
  fleet = await startFleet(['--grace', '0', '--http-address', address]);
});

afterAll(() => fleet.stop());

const rendered = ({ lines }: WorkerProcess): number => lines.filter(({ msg }) => msg === 'image rendered').length;

test('a worker that drains finishes the image that it has begun and leaves all others to the next worker', async () => {
  const long = await fleet.submit([100], '512');
  await untilComputing(fleet.client, long);
  // One of them at most is in the worker's hands by now, and waits for the device.
  const others = await fleet.submit([2, 2, 2], '512');
  const draining = fleet.renderer;
  process.kill(draining.pid, 'SIGUSR2');
  await draining.said(TOLD);
  // A supervisor may signal all processes of a worker, and a person may do so twice.
  for (const pid of [draining.rendererPid, draining.pid]) process.kill(pid, 'SIGUSR2');
  expect(await (await fetch(health)).json()).toEqual({ ready: false, state: 'draining' });
  await fleet.startRenderer(0);

  expect(await draining.gone()).toBe(EXIT.ok);
  for (const [batch, count] of [
    [long, 1],
    [others, 3],
  ] as const) {
    expect(await batchEnd(fleet.client, batch)).toMatchObject({
      state: 'completed',
      result: { totals: { rendered: count, extraComputations: 0 } },
    });
  }
  expect(rendered(draining)).toBe(1);
  expect(rendered(fleet.renderer)).toBe(3);
});

test('a worker that is told to stop while it drains hands back what it has begun', async () => {
  const batch = await fleet.submit([200], '1024');
  await untilComputing(fleet.client, batch);
  const draining = fleet.renderer;
  process.kill(draining.pid, 'SIGUSR2');
  await draining.said(TOLD);
  await fleet.startRenderer(0);
  expect(await draining.kill('SIGTERM')).toBe(EXIT.ok);
  await fleet.renderer.said('resuming from a checkpoint');
  expect(fleet.renderer.wentOnAt[0]).toBeGreaterThan(0);

  // Whom nobody waits for need not be drained to its end either.
  await untilComputing(fleet.client, batch, 2);
  process.kill(fleet.renderer.pid, 'SIGUSR2');
  await cancelBatch(fleet.client, batch);
  expect(await fleet.renderer.gone()).toBe(EXIT.ok);
  expect(await batchEnd(fleet.client, batch)).toMatchObject({ state: 'cancelled' });
});

test('a render worker without an image, and an orchestrator, end at once when they drain, and others go on', async () => {
  await fleet.startRenderer(0);
  expect(await fleet.renderer.kill('SIGUSR2')).toBe(EXIT.ok);
  const batch = await fleet.submit([2, 2]);
  expect(await fleet.orchestrator.kill('SIGUSR2')).toBe(EXIT.ok);
  await Promise.all([fleet.startOrchestrator(), fleet.startRenderer(0)]);
  expect(await batchEnd(fleet.client, batch)).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 2 } },
  });
});
