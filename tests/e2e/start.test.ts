import { existsSync } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { isAlive } from '../../infra/dev/steps.mjs';
import { readLease } from '../../infra/dev/temporal-lease.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, pixartBatch, RunningCommand, startPixartBatch } from './command-line.ts';
import { createWorkplace, imagesOf, objectsOf, readManifest, type Workplace } from './workplace.ts';

// Each start brings up a server and two workers.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let place: Workplace;
let squatter: Server | null;

beforeAll(async () => {
  place = await createWorkplace();
  // Somebody has the usual port, this test or another program.
  squatter = createServer();
  await new Promise<void>((resolve) => {
    squatter?.once('error', () => resolve());
    squatter?.listen(7233, '127.0.0.1', resolve);
  });
});

afterAll(async () => {
  squatter?.close();
  await place.remove();
});

const bootstrap = 'infra/dev/bootstrap.mjs';

/** What `npm start` runs. */
const start = (catalog: string): RunningCommand =>
  new RunningCommand([bootstrap, 'start', '--catalog', catalog], { ...place.environment, TEMPORAL_ADDRESS: '' });

const batchOf = ({ stderr }: Finished): string => /batch (example-\w+)/.exec(stderr)?.[1] ?? '';

test('npm start renders a catalog, stops what it started, and renders nothing the second time', async () => {
  const catalog = await place.catalog(
    'small.csv',
    'id,prompt,size,steps\na,a fox,256,2\nb,a wolf,512,2\nc,a bear,256,2',
  );
  const first = expectCode(0, await start(catalog).finished);

  expect(first.stdout).toMatch(/Temporal UI: http:\/\/127\.0\.0\.1:\d+/);
  expect(first.stdout).toContain('3 jobs, 3 rendered');
  expect(first.stdout).toContain('contact-sheet.webp');
  expect(first.stdout).toContain('contact-sheet.html');
  expect(first.stdout).toContain('npx pixart-batch dev');
  expect(await imagesOf(place.store, batchOf(first))).toEqual(['a.png', 'b.png', 'c.png']);
  expect(readLease(`${place.environment.PIXART_STATE}/temporal.db`)).toBeNull();

  const second = expectCode(0, await start(catalog).finished);
  expect(second.stdout).toContain('3 jobs, 3 reused');
  expect(batchOf(second)).not.toBe(batchOf(first));
  expect(await objectsOf(place.store)).toHaveLength(3);
});

test('interrupted in the middle, then npm start: it goes on with the same batch, and says what stops with it', async () => {
  // One that is over soon, and others that cannot be over before the signal comes.
  const rows = [5, 80, 80, 80].map((steps, i) => `r${i},a hare number ${i},512,${steps}`);
  const catalog = await place.catalog('longer.csv', ['id,prompt,size,steps', ...rows].join('\n'));
  const objects = async () => (await objectsOf(place.store)).length;
  const before = await objects();
  const interrupted = start(catalog);
  await expect.poll(objects, { timeout: 120_000 }).toBeGreaterThan(before);
  const server = readLease(`${place.environment.PIXART_STATE}/temporal.db`)?.server;
  const aside = await place.catalog('aside.csv', 'id,prompt,size,steps\nlong,a heron,512,200');
  for (const command of [
    ['submit', aside, '--batch', 'aside'],
    ['pause', 'aside'],
  ]) {
    expectCode(0, await runHere([...command, '--address', server!.address], place.environment));
  }
  // In a terminal Ctrl-C reaches every process in front; the bootstrap, which is alone here, passes SIGTERM on.
  interrupted.signal('SIGTERM');
  const left = await interrupted.finished;
  expectCode(130, left);
  expect(isAlive(server!.pid)).toBe(false);
  const stopped = 'other batch is unfinished and stops with this server, to be continued later: aside.';
  expect(left.stderr).toContain(`${stopped} To continue:\n  npx pixart-batch dev --state `);

  const resumed = expectCode(0, await start(catalog).finished);
  expect(resumed.stderr).toContain(stopped);
  expect(resumed.stdout).toMatch(/To continue, and to see the batch in Temporal's UI again:\n {2}npx pixart-batch dev/);
  expect(resumed.stderr).toContain('resuming it');
  expect(batchOf(resumed)).toBe(batchOf(left));
  const { totals, images } = await readManifest(place.store, batchOf(resumed));
  expect(totals).toMatchObject({ jobs: 4, failed: 0, cancelled: 0 });
  expect(new Set(images.map(({ object }) => object)).size).toBe(4);
});

test('dev serves whoever submits, and ends in an orderly way with all that it started', async () => {
  const environment = { ...place.environment, TEMPORAL_ADDRESS: '' };
  const dev = startPixartBatch(['dev'], environment);
  const [, address = ''] = await dev.said(/Temporal server +(\S+)/);
  await dev.said(/Ctrl-C stops/);
  const server = readLease(`${place.environment.PIXART_STATE}/temporal.db`)?.server;
  expect(server?.address).toBe(address);

  const catalog = await place.catalog('one.csv', 'id,prompt,steps\nonly,a deer,2');
  const args = ['submit', catalog, '--batch', 'by-hand', '--wait', '--address', address];
  expectCode(0, await pixartBatch(args, environment));
  expect(await imagesOf(place.store, 'by-hand')).toEqual(['only.png']);

  const other = join(place.folder, 'other');
  for (const [what, ...wanted] of [
    ['store', 'submit', catalog, '--store', other],
    ['catalog', 'schedule', 'create', 'nightly', catalog, '--at', '22:00'],
    ['webhook', 'submit', catalog, '--webhook', 'http://localhost:9'],
  ]) {
    const refused = expectCode(2, await runHere([...wanted, '--address', address], environment));
    expect(refused.stderr).toMatch(
      new RegExp(`${what} .*: expected a place that the workers were started for.* --allow `),
    );
  }
  expect(existsSync(other)).toBe(false);

  dev.signal('SIGTERM');
  expectCode(0, await dev.finished);
  expect(isAlive(server!.pid)).toBe(false);
});

test('a second dev works on when the first one is killed, and says what has become of the server', async () => {
  const environment = { ...place.environment, TEMPORAL_ADDRESS: '', PIXART_STATE: join(place.folder, 'shared') };
  // As earlier versions left it, open to everybody.
  await mkdir(environment.PIXART_STATE, { mode: 0o755 });
  const first = startPixartBatch(['dev', '--size', '256', '--threads', '1'], environment);
  const [, address = ''] = await first.said(/Temporal server +(\S+)/);
  await first.said(/shared: only you can read it from now on/);
  const second = startPixartBatch(['dev', '--size', '256', '--threads', '1'], environment);
  await second.said(new RegExp(`Temporal server +${address} \\(run by process ${first.pid}, `));
  await second.said(
    new RegExp(`Ctrl-C stops these workers\\. If process ${first.pid} ends, this one takes over the server`),
  );

  first.signal('SIGKILL');
  await second.said(new RegExp(`process ${first.pid}, which ran the Temporal server at ${address}, has ended`));
  await second.said(
    new RegExp(`this process took over the Temporal server at ${address}; from now on Ctrl-C stops it too`),
  );
  const catalog = await place.catalog('shared.csv', 'id,prompt,steps\nonly,an otter,2');
  // Wherever its server is, commands that are given beside it find it.
  const args = ['submit', catalog, '--batch', 'shared', '--wait'];
  expectCode(0, await pixartBatch(args, environment));

  const server = readLease(`${environment.PIXART_STATE}/temporal.db`)?.server;
  for (const name of await readdir(environment.PIXART_STATE, { recursive: true })) {
    // The server's database makes and removes its journal all the time.
    const found = await stat(join(environment.PIXART_STATE, name)).catch(() => undefined);
    if (found === undefined && name.endsWith('-journal')) continue;
    expect([name, found && found.mode & 0o077]).toEqual([name, 0]);
  }
  second.signal('SIGTERM');
  expectCode(0, await second.finished);
  expect(isAlive(server!.pid)).toBe(false);
});

test('without a bundle it says so before anything is started', async () => {
  const catalog = await place.catalog('small.csv', 'prompt\na fox');
  const environment = { ...place.environment, PIXART_BUNDLE: place.folder, PIXART_STATE: `${place.folder}/unused` };
  const finished = await new RunningCommand([bootstrap, 'start', '--catalog', catalog], environment).finished;
  expect(expectCode(2, finished).stderr).toContain('bundle.json');
  expect(existsSync(`${place.folder}/unused`)).toBe(false);
});
