import { execFile } from 'node:child_process';
import { rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  batchEnd,
  createSchedule,
  describeSchedule,
  pauseSchedule,
  retryBatch,
  reviewPageEnd,
  triggerSchedule,
  verifyBatch,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode } from '../e2e/command-line.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

let emulator: BucketEmulator;

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('images');
  await emulator.createBucket('backup');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  await emulator.stop();
  vi.unstubAllEnvs();
});

/** As `gcloud storage rsync --recursive` copies from bucket to bucket: on the server's side, metadata included. */
async function copyBucket(from: string, to: string): Promise<void> {
  const client = new Storage({ apiEndpoint: emulator.endpoint, projectId: 'any' });
  client.baseUrl = `${emulator.endpoint}/storage/v1`;
  const [files] = await client.bucket(from).getFiles();
  for (const file of files) await file.copy(client.bucket(to).file(file.name));
}

/** One row of the batch has no image. */
function fails({ prompt }: { prompt: string }): void {
  if (prompt.includes('impossible')) throw new UserError('this picture cannot be made');
}

const PLACES = ['folder', 'bucket'] as const;

describe.each(PLACES)('a store in a %s', (kind) => {
  let before: Site;
  let after: Site;
  let restored: string;

  const here = (...args: string[]) => runHere(args, { PIXART_STORE: restored, TEMPORAL_ADDRESS: after.client.address });

  beforeAll(async () => {
    before = await startSite({ before: fails, ...(kind === 'bucket' && { storeUrl: 'gs://images/all' }) });
    const { client, store } = before;
    await before.submit('spring', ['a fox,256', 'an owl,256', 'an impossible stair,256']);
    const end = await batchEnd(client, 'spring');
    if (end.state === 'completed') await reviewPageEnd(client, end.result);
    const catalog = await before.catalog('nightly.csv', ['a hen,256']);
    const request = { catalog, store: store.url, bundle: BUNDLE };
    await createSchedule(client, { ...request, name: 'nightly', when: { at: '22:00', days: [] } });
    await createSchedule(client, { ...request, name: 'weekly', when: { cron: '0 3 * * 1' } });
    await pauseSchedule(client, 'weekly');
    const schedules = path.join(before.folder, 'schedules.jsonl');
    const listed = async () => (await runHere(['schedule', 'export'], { TEMPORAL_ADDRESS: client.address })).stdout;
    // A listing has a new schedule within seconds.
    while ((await listed()).trim().split('\n').length < 2) await sleep(200);
    await writeFile(schedules, await listed());

    if (kind === 'folder') {
      const copy = path.join(before.folder, 'copy');
      await promisify(execFile)('cp', ['-a', path.join(before.folder, 'out'), copy]);
      await rm(path.join(before.folder, 'out'), { recursive: true });
      restored = copy;
    } else {
      await copyBucket('images', 'backup');
      restored = 'gs://backup/all';
    }
    after = await startSite({ beside: before, storeUrl: kind === 'folder' ? `file://${restored}` : restored });
  });

  afterAll(async () => {
    await after?.stop();
    await before?.stop();
  });

  test('without the server’s database its batches are verified, reported and retried from the copy alone', async () => {
    const verified = await verifyBatch('spring', { store: restored });
    expect(verified).toMatchObject({ images: 2, differences: [] });
    expect(expectCode(0, await here('report', 'spring')).stdout).toMatch(
      /^size +256\njobs +3\nrendered +2\nreused +0\nfailed +1$/m,
    );
    expect(expectCode(0, await here('status', 'spring', '--store', restored)).stdout).toContain('2 rendered');
    const { images } = await after.manifest('spring');
    const decisions = await after.catalog('decisions.csv', []);
    await writeFile(decisions, `id,render_key,decision\n${images[0]!.id},${images[0]!.renderKey},rejected\n`);
    expect(await retryBatch(after.client, 'spring', { store: restored, decisions })).toMatchObject({
      round: 2,
      from: 'record',
    });
    expect(await batchEnd(after.client, 'spring')).toMatchObject({ state: 'completed' });
    expect(await verifyBatch('spring', { store: restored })).toMatchObject({ images: 3, differences: [] });
  });

  test('pictures are found again by the next batch, and none is rendered twice', async () => {
    await after.submit('summer', ['a fox,256', 'an owl,256']);
    await batchEnd(after.client, 'summer');
    expect((await after.manifest('summer')).totals).toMatchObject({ reused: 2, rendered: 0 });
    if (kind !== 'folder') return;
    const { images } = await after.manifest('summer');
    // The copy has its links: a batch takes no space of its own.
    const [object, copy] = await Promise.all(
      [images[0]!.object, images[0]!.copy].map((name) => stat(path.join(restored, name))),
    );
    expect(copy!.ino).toBe(object!.ino);
  });

  test('schedules are made again from their export, as they were, and start batches', async () => {
    const file = path.join(before.folder, 'schedules.jsonl');
    const made = expectCode(0, await here('schedule', 'import', file));
    expect(made.stdout.trim().split('\n').sort()).toEqual([
      'schedule nightly is recreated',
      'schedule weekly is recreated, paused as before',
    ]);
    expect(expectCode(0, await here('schedule', 'import', file)).stdout).toContain(
      'nightly exists, so it is left as it is',
    );
    const [old, anew] = await Promise.all([before, after].map(({ client }) => describeSchedule(client, 'weekly')));
    expect({ ...anew, runs: [], next: [] }).toEqual({ ...old, runs: [], next: [] });
    expect(anew).toMatchObject({ paused: true, when: 'cron 0 3 * * 1', note: 'a person paused it' });
    const triggered = await triggerSchedule(after.client, 'nightly');
    expect(triggered).toMatchObject({ outcome: 'started' });
    const { batch } = triggered as { batch: string };
    expect(await batchEnd(after.client, batch)).toMatchObject({ state: 'completed' });
    const wrong = await after.catalog('wrong.jsonl', []);
    expect(expectCode(2, await here('schedule', 'import', wrong)).stderr).toContain(
      'wrong.jsonl, line 1: expected a schedule as',
    );
  });
});
