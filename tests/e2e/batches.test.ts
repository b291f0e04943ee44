import { chmod, copyFile, mkdir, readFile, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { type LocalFleet, startLocalFleet } from '../../infra/dev/local-fleet.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { crc32c } from '../../store/crc32c.ts';
import { openStore } from '../../store/index.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines, pixartBatch, startPixartBatch } from './command-line.ts';
import { twoSizeBundle } from './two-size-bundle.ts';
import { createWorkplace, imagesOf, objectsOf, readManifest, type Workplace } from './workplace.ts';

// Whole processes, several a test: on a busy machine each takes its time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let place: Workplace;
let fleet: LocalFleet;
let emulator: BucketEmulator;

beforeAll(async () => {
  place = await createWorkplace();
  emulator = await startBucketEmulator();
  // The fleet's processes inherit it, as those of a cluster would have credentials.
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  fleet = await fleetWith(place.bundle);
});

const fleetWith = (bundle: string): Promise<LocalFleet> =>
  startLocalFleet({
    stateFolder: join(place.folder, 'state'),
    bundle,
    sizes: [],
    device: 'cpu',
    threads: 1,
    allow: [pathToFileURL(place.folder).href],
    tell: () => {},
  });

afterAll(async () => {
  await fleet?.stop();
  await emulator?.stop();
  vi.unstubAllEnvs();
  await place.remove();
});

const run = (...args: string[]): Promise<Finished> => pixartBatch(args, environment());
/** For what a process would add nothing to. */
const here = (...args: string[]): Promise<Finished> => runHere(args, environment());
const environment = (): NodeJS.ProcessEnv => ({ ...place.environment, TEMPORAL_ADDRESS: fleet.address });

const rows = ['mug', 'lamp', 'chair', 'kettle', 'clock', 'shelf'];
const things = (adjective: string): string =>
  [
    'id,prompt,size,aspect,steps',
    ...rows.map((thing, i) => `${thing},a ${adjective} ${thing},${i % 2 ? 256 : 512},4:3,2`),
  ].join('\n');

/** Enough steps that no machine finishes before the test has acted. */
const endless = (count: number): string =>
  ['id,prompt,size,steps', ...Array.from({ length: count }, (_, i) => `slow-${i},slow ${i},512,200`)].join('\n');

test('a catalog becomes one image per row, a manifest with checksums and a contact sheet', async () => {
  const catalog = await place.catalog('things.csv', things('red'));
  const finished = await run('submit', catalog, '--batch', 'first', '--wait');

  expectCode(0, finished);
  expect(finished.stdout).toContain('6 jobs, 6 rendered');
  expect(await imagesOf(place.store, 'first')).toEqual(rows.map((thing) => `${thing}.png`).sort());
  const manifest = await readManifest(place.store, 'first');
  expect(manifest.totals).toMatchObject({ jobs: 6, rendered: 6, failed: 0 });
  for (const { copy, crc32c: sum, bytes } of manifest.images) {
    const file = await readFile(join(place.store, copy));
    expect([file.length, crc32c(file)]).toEqual([bytes, sum]);
  }
  const sheet = await readFile(join(place.store, 'batches', 'first', 'contact-sheet.webp'));
  expect(sheet.subarray(8, 12).toString()).toBe('WEBP');
});

test('the same catalog again renders nothing, and its folder is complete', async () => {
  const catalog = await place.catalog('things.csv', things('red'));
  const finished = await here('submit', catalog, '--batch', 'second', '--wait', '--json');

  expectCode(0, finished);
  expect(jsonLines(finished).at(-1)).toMatchObject({ totals: { jobs: 6, rendered: 0, reused: 6 } });
  expect(await imagesOf(place.store, 'second')).toHaveLength(6);
  expect(await objectsOf(place.store)).toHaveLength(6);
});

test('with three rows changed it renders three', async () => {
  const changed = things('red').replaceAll(/a red (mug|chair|clock)/g, 'a blue $1');
  const catalog = await place.catalog('changed.csv', changed);
  const [planned] = jsonLines(expectCode(0, await here('plan', catalog, '--json')));
  expect(planned).toMatchObject({ images: 6, stored: 3, toRender: 3, deviceSeconds: expect.any(Number), guessed: [] });
  const priced = expectCode(0, await here('plan', catalog, '--devices', '2', '--cost-per-hour', '3600'));
  expect(priced.stdout).toMatch(
    /to render: 3; 3 are already in .*\ndevice time: about .*; about .* on 2 devices; costs about /,
  );
  const dear = ['--max-cost', '0.000001', '--cost-per-hour', '1'];
  expect(expectCode(2, await here('submit', catalog, '--batch', 'third', ...dear)).stderr).toContain('--max-cost');
  const refused = expectCode(2, await here('submit', catalog, '--batch', 'third', '--max-jobs', '2'));
  expect(refused.stderr).toContain('--max-jobs: expected at most 2 images to render, found 3; nothing was started');
  const finished = await here('submit', catalog, '--batch', 'third', '--max-jobs', '3', '--wait', '--json');

  expect(jsonLines(finished).at(-1)).toMatchObject({ totals: { jobs: 6, rendered: 3, reused: 3 } });
  expect(await imagesOf(place.store, 'third')).toHaveLength(6);
  expect(await objectsOf(place.store)).toHaveLength(9);
});

test('catalog and images may lie in a bucket', async () => {
  await emulator.createBucket('team');
  const bucket = await openStore('gs://team');
  await bucket.create('catalogs/two.csv', Buffer.from('id,prompt\na,a red mug\nb,a red jug'), 'text/csv');
  const args = ['gs://team/catalogs/two.csv', '--store', 'gs://team/images', '--batch', 'cloud', '--wait'];
  const { stdout } = expectCode(0, await run('submit', ...args));

  expect(stdout).toContain('gs://team/images/batches/cloud/manifest-1.json');
  const manifest = manifestSchema.parse(
    JSON.parse(Buffer.from(await bucket.read('images/batches/cloud/manifest.json')).toString('utf8')),
  );
  expect(manifest.images.map(({ id }) => id).sort()).toEqual(['a', 'b']);
  for (const { copy, bytes, crc32c: sum } of manifest.images) {
    expect(await bucket.stat(`images/${copy}`)).toMatchObject({ bytes, crc32c: sum });
  }
});

test('Ctrl-C leaves a watched batch running; cancel stops it, and its end is not a success', async () => {
  const catalog = await place.catalog('slow.csv', endless(100));
  const submitted = startPixartBatch(['submit', catalog, '--batch', 'slow', '--wait'], environment());
  await submitted.said(/rendering/);
  submitted.signal('SIGINT');
  const left = await submitted.finished;
  expectCode(130, left);
  expect(left.stderr).toContain('npx pixart-batch watch slow');

  const watching = startPixartBatch(['watch', 'slow', '--json'], environment());
  await watching.said(/"rendering"/);
  expect(expectCode(0, await run('cancel', 'slow', '--wait')).stdout).toContain(
    join('batches', 'slow', 'manifest-1.json'),
  );
  const watched = await watching.finished;
  expectCode(3, watched);
  expect(jsonLines(watched).at(-1)).toMatchObject({ batch: 'slow', state: 'cancelled' });
  expect((await readManifest(place.store, 'slow')).totals.cancelled).toBeGreaterThan(0);
  expectCode(2, await here('cancel', 'slow'));
});

test('list and status tell programs and people the same', async () => {
  const listed = jsonLines(await here('list', '--json')) as { batch: string; state: string; done: number }[];
  expect(listed.map(({ batch }) => batch)).toEqual(expect.arrayContaining(['first', 'second', 'third', 'slow']));
  expect(listed.find(({ batch }) => batch === 'first')).toMatchObject({ state: 'completed', done: 6 });
  expect((await here('list')).stdout).toMatch(/first +completed +6\/6 +0/);

  const [status] = jsonLines(await here('status', 'first', '--json'));
  expect(status).toMatchObject({ batch: 'first', progress: { totals: { rendered: 6 } } });
  const unknown = await here('status', 'no-such-batch');
  expectCode(2, unknown);
  expect(unknown.stderr).toContain('no-such-batch');
});

test('a batch that has ended is reported from its store, and the rows of its table can be submitted again', async () => {
  const [told] = jsonLines(expectCode(0, await here('report', 'first', '--json')));
  expect(told).toMatchObject({ batch: 'first', failures: [], sizes: [{ size: '256' }, { size: '512' }] });
  const { sizes } = told as { sizes: { rendered: number; deviceSeconds: number; median: number }[] };
  expect(sizes.reduce((all, { rendered }) => all + rendered, 0)).toBe(6);
  for (const { deviceSeconds, median } of sizes) expect(deviceSeconds).toBeGreaterThanOrEqual(median);
  const { stdout } = expectCode(0, await here('report', 'first'));
  expect(stdout).toMatch(/^size +256 +512$/m);
  expect(stdout).toMatch(/^denoise +\d+ % +\d+ %$/m);
  expect(expectCode(2, await here('report', 'no-such-batch')).stderr).toContain(
    'batch no-such-batch: expected a batch of that name',
  );

  const table = join(place.store, 'batches', 'first', 'manifest.csv');
  const again = expectCode(0, await here('submit', table, '--batch', 'from-table', '--wait', '--json'));
  expect(jsonLines(again).at(-1)).toMatchObject({ totals: { jobs: 6, rendered: 0, reused: 6 } });
});

test('a batch id that is taken is refused, and the batch that has it stays as it is', async () => {
  const before = await readManifest(place.store, 'first');
  const refused = await here('submit', await place.catalog('other.csv', things('yellow')), '--batch', 'first');
  expectCode(2, refused);
  expect(refused.stderr).toContain('first');
  expect(await readManifest(place.store, 'first')).toEqual(before);
});

test('a schedule starts batches of what its catalog holds when it is due', async () => {
  const catalog = await place.catalog('nightly.csv', things('red'));
  const created = await here(
    'schedule',
    'create',
    'nightly',
    catalog,
    '--cron',
    '0 3 1 1 *',
    '--time-zone',
    'Asia/Tokyo',
  );
  expectCode(0, created);
  expect(jsonLines(await here('schedule', 'list', '--json'))).toMatchObject([
    { name: 'nightly', when: 'cron 0 3 1 1 *', timeZone: 'Asia/Tokyo', overlap: 'skip' },
  ]);

  await place.catalog('nightly.csv', 'id,prompt\nonly,a red mug of the night');
  expectCode(0, await here('schedule', 'trigger', 'nightly'));
  const batch = await batchOfSchedule('nightly');
  const ended = await here('watch', batch, '--json');
  expectCode(0, ended);
  expect(jsonLines(ended).at(-1)).toMatchObject({ totals: { jobs: 1, rendered: 1 } });

  expectCode(0, await here('schedule', 'delete', 'nightly'));
  expectCode(2, await here('schedule', 'trigger', 'nightly'));
  expect((await here('schedule', 'list', '--json')).stdout).toBe('');
});

test('of a batch that could not be planned, status tells why, and what retry needs is said', async () => {
  const missing = join(place.folder, 'not-there.csv');
  expectCode(0, await here('schedule', 'create', 'early', missing, '--cron', '0 3 1 1 *'));
  expectCode(0, await here('schedule', 'trigger', 'early'));
  const batch = await batchOfSchedule('early');
  expectCode(3, await here('watch', batch));
  const why = 'catalog: expected a file at';
  expect((await here('status', batch)).stdout).toMatch(new RegExp(`^batch ${batch} failed: ${why}`));
  expect(jsonLines(await here('status', batch, '--json'))).toMatchObject([
    { state: 'failed', reason: expect.stringContaining(why) },
  ]);
  expect(expectCode(2, await here('retry', batch)).stderr).toContain('"status" says why');
  expectCode(0, await here('schedule', 'delete', 'early'));
});

test('rows that fail are listed with the reason and make the exit code 3; retry renders them once the reason is gone', async () => {
  const blocked = join(place.folder, 'blocked');
  await mkdir(blocked);
  await symlink(place.folder, join(blocked, 'objects'));
  const catalog = await place.catalog('things.csv', things('red'));
  const failing = expectCode(3, await run('submit', catalog, '--batch', 'failing', '--store', blocked, '--wait'));
  const { failures, images } = await readManifest(blocked, 'failing');
  expect(images).toEqual([]);
  expect(failures.map(({ id, type, reason }) => [id, type, reason])).toEqual(
    expect.arrayContaining(rows.map((thing) => [thing, 'UserError', expect.stringContaining('found a symbolic link')])),
  );
  expect(failing.stdout).toContain(failures[0]!.reason);
  expect(failing.stdout).toContain('npx pixart-batch retry failing');

  await rm(join(blocked, 'objects'));
  const retried = expectCode(0, await run('retry', 'failing', '--wait', '--json'));
  expect(jsonLines(retried).at(-1)).toMatchObject({ totals: { jobs: 6, rendered: 6 } });
  expect(await readManifest(blocked, 'failing')).toMatchObject({ round: 2, failures: [] });
  expect(await imagesOf(blocked, 'failing')).toHaveLength(6);
  expect(expectCode(2, await here('retry', 'failing')).stderr).toContain('nothing to retry');
});

test('what was damaged in the store is right in the next batch; verify finds it in the one before and brings it back', async () => {
  const catalog = await place.catalog('sound.csv', things('yellow').replaceAll(',512,', ',256,'));
  expectCode(0, await here('submit', catalog, '--batch', 'sound', '--wait'));
  const { images } = await readManifest(place.store, 'sound');
  const pathOf = (id: string): string => join(place.store, images.find((image) => image.id === id)!.object);
  // In place: the copy of the batch, which is a link, is empty as well.
  await chmod(pathOf('mug'), 0o644);
  await truncate(pathOf('mug'));
  await rm(pathOf('lamp'));
  await copyFile(pathOf('chair'), pathOf('lamp'));
  await rm(pathOf('clock'));
  await mkdir(pathOf('clock'));

  const again = expectCode(0, await here('submit', catalog, '--batch', 'again', '--wait', '--json'));
  expect(jsonLines(again).at(-1)).toMatchObject({ totals: { jobs: 6, rendered: 3, reused: 3, failed: 0 } });
  expect(jsonLines(expectCode(0, await here('verify', 'again', '--json')))).toEqual([
    { batch: 'again', images: 6, differences: [], repaired: [], unrepaired: [] },
  ]);

  await chmod(pathOf('shelf'), 0o644);
  await truncate(pathOf('shelf'), 100);
  const found = expectCode(3, await here('verify', 'sound')).stdout;
  expect(found).toContain('batch sound: 6 images, 2 of them not as they were made');
  expect(found).toMatch(/mug: batches\/sound\/mug.png: it has 0 bytes/);
  expect(found).toMatch(/shelf: objects\/\w+.png: it has 100 bytes/);
  const repaired = expectCode(0, await here('verify', 'sound', '--repair')).stdout;
  expect(repaired).toContain('1 image restored from the shared objects; the damaged files are under damaged/');
  expect(repaired).toContain('1 image can only be rendered again');
  expect(repaired).toContain('batch sound: 6 images, all as they were made');
  expect(await readManifest(place.store, 'sound')).toMatchObject({ round: 2, totals: { jobs: 6, failed: 0 } });
  expectCode(0, await here('verify', 'sound'));
  expectCode(2, await here('verify', 'no-such-batch'));
});

test('a batch waits for workers that hold its bundle, says so, and those with another bundle leave it alone', async () => {
  const other = await twoSizeBundle(join(place.folder, 'other'), 'tiny-other');
  const catalog = await place.catalog('things.csv', things('red'));
  const nobody = (size: number) => `no worker is polling for ${size} px jobs of bundle tiny-other`;
  const submitted = expectCode(0, await here('submit', catalog, '--batch', 'other', '--bundle', other));
  expect(submitted.stderr).toContain(nobody(256));
  expect(submitted.stderr).toContain(nobody(512));
  const first = expectCode(0, await here('submit', catalog, '--batch', 'beside', '--wait', '--json'));
  expect(jsonLines(first).at(-1)).toMatchObject({ totals: { jobs: 6, failed: 0 } });
  expect(expectCode(0, await here('status', 'other')).stdout).toContain(nobody(256));
  expect(jsonLines(expectCode(0, await here('status', 'other', '--json')))).toMatchObject([
    {
      workers: {
        orchestrators: 1,
        // Both bundles have one text encoder.
        encoders: 1,
        renderers: [
          { size: '256', workers: 0 },
          { size: '512', workers: 0 },
        ],
        bundle: { name: 'tiny-other' },
      },
    },
  ]);

  await fleet.stop();
  fleet = await fleetWith(other);
  expectCode(0, await here('watch', 'other'));
  expect(await readManifest(place.store, 'other')).toMatchObject({ totals: { jobs: 6, rendered: 6 }, failures: [] });
});

async function batchOfSchedule(name: string): Promise<string> {
  for (;;) {
    const listed = jsonLines(await here('list', '--json')) as { batch: string }[];
    const found = listed.find(({ batch }) => batch.startsWith(`${name}-`));
    if (found) return found.batch;
  }
}
