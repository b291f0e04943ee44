import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { batchEnd } from '../../client/index.ts';
import { batchFolder, manifestName, receiptsFolder } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { readIfThere } from '../../store/index.ts';
import { type Fleet, startFleet, untilComputing } from './fleet.ts';

/** Of the image that harm is done to, and of the others, which have no middle in which it could be done. */
const STEPS = 100;
const OTHERS = [2, 2];
const JOBS = 1 + OTHERS.length;

// The server needs half a minute to notice that a worker is gone.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

let fleet: Fleet;

beforeAll(async () => {
  fleet = await startFleet();
});

afterAll(() => fleet.stop());

/** Submits a batch, does harm in the middle of it, and waits for its end. */
async function batchThrough(harm: () => Promise<void>): Promise<Manifest> {
  const batch = await fleet.submit([STEPS, ...OTHERS], '512');
  await untilComputing(fleet.client, batch);
  await harm();
  expect(await batchEnd(fleet.client, batch)).toMatchObject({ state: 'completed' });
  const manifest = manifestSchema.parse(
    JSON.parse(Buffer.from(await fleet.store.read(manifestName(batch))).toString()),
  );
  await expectOneOfEach(batch, manifest);
  const { extraComputations } = manifest.totals;
  console.log(`${expect.getState().currentTestName}: ${JOBS} images, ${extraComputations} computed twice`);
  return manifest;
}

/** One object, one copy and one receipt for each job, and nothing else. */
async function expectOneOfEach(batch: string, { images, totals }: Manifest): Promise<void> {
  expect(totals).toMatchObject({ jobs: JOBS, rendered: JOBS, reused: 0, failed: 0, cancelled: 0 });
  expect(new Set(images.map(({ id }) => id)).size).toBe(JOBS);
  for (const { object, copy, crc32c } of images) {
    expect(await fleet.store.stat(object)).toMatchObject({ crc32c });
    expect(await fleet.store.stat(copy)).toMatchObject({ crc32c });
  }
  const inBatch = await names(batchFolder(batch));
  expect(inBatch.filter((name) => name.endsWith('.png')).sort()).toEqual(images.map(({ copy }) => copy).sort());
  expect(await receiptLines(batch)).toHaveLength(JOBS);
}

/** Far enough into an image that what its last heartbeat missed, on a busy machine, is little beside it. */
const STEPS_BEFORE_KILL = 10;

async function untilCheckpoint(): Promise<void> {
  while ((await checkpointedStep()) < STEPS_BEFORE_KILL) await sleep(10);
}

/** The step of the checkpoint that is there, as its header says; 0 where there is none. */
async function checkpointedStep(): Promise<number> {
  const [name] = await names('scratch/', fleet.scratch);
  const bytes = name === undefined ? null : await readIfThere(fleet.scratch, name);
  const step = /"step":(\d+)/.exec(Buffer.from(bytes ?? []).toString('latin1'))?.[1];
  return Number(step ?? 0);
}

/** The image that was interrupted went on from a checkpoint, which is gone now. */
async function expectWentOn({ images }: Manifest): Promise<void> {
  const at = fleet.renderer.wentOnAt;
  expect(at).toEqual([expect.any(Number)]);
  expect(at[0]).toBeGreaterThanOrEqual(STEPS_BEFORE_KILL);
  const { stepsComputed } = images.find(({ computations }) => computations === 2)!;
  console.log(`went on at step ${at[0]} of ${STEPS}; ${stepsComputed} steps computed in all`);
  // As far as the lost attempt's last heartbeat could tell; from the beginning it would be all of them and what was lost.
  expect(stepsComputed).toBeLessThan(STEPS + at[0]!);
  expect(await names('scratch/', fleet.scratch)).toEqual([]);
  expect(await names('scratch/')).toEqual([]);
}

async function names(prefix: string, store = fleet.store): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}

async function receiptLines(batch: string): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await names(receiptsFolder(batch))) {
    lines.push(
      ...Buffer.from(await fleet.store.read(name))
        .toString()
        .trim()
        .split('\n'),
    );
  }
  return lines;
}

test('kill -9 of the renderer child: the next one goes on with the image where it was', async () => {
  const manifest = await batchThrough(async () => {
    await untilCheckpoint();
    process.kill(fleet.renderer.rendererPid, 'SIGKILL');
  });
  expect(manifest.totals.extraComputations).toBe(1);
  await expectWentOn(manifest);
});

test('kill -9 of the orchestrator: no image is computed twice', async () => {
  const manifest = await batchThrough(async () => {
    await fleet.orchestrator.kill('SIGKILL');
    await fleet.startOrchestrator();
  });
  expect(manifest.totals.extraComputations).toBe(0);
});

test('kill -9 of the render worker: another one goes on with the image where it was', async () => {
  const manifest = await batchThrough(async () => {
    await untilCheckpoint();
    await fleet.renderer.kill('SIGKILL');
    await fleet.startRenderer();
  });
  expect(manifest.totals.extraComputations).toBe(1);
  await expectWentOn(manifest);
});

test('kill -9 of the Temporal server: started again on its file, it knows where everything was', async () => {
  const manifest = await batchThrough(async () => {
    process.kill(fleet.server.pid, 'SIGKILL');
    await sleep(2_000);
    await fleet.restartServer();
  });
  // An attempt whose result the server never heard of leaves its object behind, so that nothing is computed again.
  expect(manifest.totals.extraComputations).toBeLessThanOrEqual(1);
});
