import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { inParallel } from '../../cleaning/in-parallel.ts';
import type { CleanResult } from '../../client/index.ts';
import { type BatchClient, batchEnd, connect, submitBatch, temporalTarget, verifyBatch } from '../../client/index.ts';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import { planFolder, shardName } from '../../records/layout.ts';
import { encodeJobs, piecesIn, readJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { KeptWorker } from '../chaos/kept-worker.ts';
import { BUNDLE, simulatedChildren } from '../chaos/simulated-children.ts';
import { expectCode, jsonLines, startPixartBatch } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { startBucketConditions } from '../store/bucket-conditions.ts';
import { DAY_MS, jobOf, names, objectOf, sampleBatch } from './sample-batch.ts';

export type BesideOptions = {
  kind: 'folder' | 'bucket';
  /** Objects of an old batch that nobody needs any more. */
  unneeded: number;
  /** Pictures of another old batch that the batches of tonight find again, beside as many that they have to render. */
  reused: number;
  say?: (text: string) => void;
};

export type Beside = {
  /** What was in the store when cleaning began. */
  files: number;
  objects: number;
  /** Objects that were gone when the first clean was killed. */
  goneAtKill: number;
  /** Removed by the cleans that came to their end. */
  removedAfterKill: number;
  /** From the start of the first clean to the end of the last, the kill included. */
  seconds: number;
  /** Images of the batches that ran meanwhile, all of them verified. */
  images: number;
  rendered: number;
  reusedImages: number;
  failed: number;
  /** Objects that are left: exactly those that these batches need. */
  left: number;
};

const AGE_MS = 100 * DAY_MS;
const SHARD = 500;
const BUCKET = 'gs://pixart-clean/images';

/**
 * Cleans a store of an old night beside two batches that find some of its pictures again: one is half way when the first clean begins, the
 * other is submitted while it removes objects. That clean is killed, another goes on. Server, workers and cleans are real processes.
 *
 * @throws Error where anything of the two batches is missing or differs, or anything is left that nobody needs
 */
export async function cleanBesideBatches({ kind, unneeded, reused, say = () => {} }: BesideOptions): Promise<Beside> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-clean-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  try {
    const site = kind === 'folder' ? folderSite(folder) : await bucketSite(ends);
    const store = await openStore(site.url);
    const server = await startTemporalServer({ dbFile: path.join(folder, 'temporal.db'), ui: false });
    ends.push(() => server.stop());
    await startWorkers(server.address, folder, site.environment, ends);
    const client = await connect(temporalTarget({ address: server.address }));
    ends.push(() => client.close());
    const submit = submitter(client, folder, store.url);

    say('making what an old night has left');
    const shared = Array.from({ length: reused }, (_, n) => `fox number ${n}`);
    await submit('old-shared', shared);
    await batchEnd(client, 'old-shared');
    await oldNight(site.direct ?? store, unneeded);
    await site.age(store);
    const before = await names(store);
    const objectsBefore = before.filter((name) => name.startsWith('objects/')).length;

    const fresh = Array.from({ length: reused }, (_, n) => `owl number ${n}`);
    // Rows are rendered in their order: what is found again comes all through the night.
    await submit(
      'tonight',
      shared.flatMap((prompt, n) => [fresh[n]!, prompt]),
    );
    await until(async () => (await names(store, 'batches/tonight/')).some((name) => name.endsWith('.png')));
    const clean = () =>
      startPixartBatch(
        ['clean', '--store', store.url, '--address', server.address, '--batches-older-than', '90d', '--yes', '--json'],
        site.environment,
      );
    say(`cleaning ${before.length} files, ${objectsBefore} objects among them`);
    const began = performance.now();
    const first = clean();
    const objectsLeft = async () => (await names(store, 'objects/')).length;
    const over = first.finished.then(({ stdout, stderr }) => {
      throw new Error(`the first clean was over before it was killed:\n${stdout}${stderr}`);
    });
    over.catch(() => {});
    const untilGone = (gone: number) =>
      Promise.race([over, until(async () => (await objectsLeft()) < objectsBefore - gone)]);
    await untilGone(unneeded / 10);
    first.signal('SIGKILL');
    if ((await first.finished).code !== null) await over;
    const goneAtKill = objectsBefore - (await objectsLeft());
    say(`killed the clean when ${goneAtKill} objects were gone; another goes on`);
    await submit('later', shared.toReversed());
    const [result] = jsonLines(expectCode(0, await clean().finished)) as [CleanResult];
    const seconds = (performance.now() - began) / 1_000;

    say('waiting for the batches that run');
    const checked = [];
    for (const batch of ['tonight', 'later']) checked.push(await completed(client, store, batch));
    const needed = new Set([...(await neededBy(store, 'tonight')), ...(await neededBy(store, 'later'))]);
    same('objects', await names(store, 'objects/'), [...needed]);
    same('batches', (await batchesLeft(store)).sort(), ['later', 'tonight']);
    return {
      ...{ files: before.length, objects: objectsBefore, goneAtKill, seconds },
      removedAfterKill: result.counts.objects.files,
      images: checked.reduce((sum, { jobs }) => sum + jobs, 0),
      rendered: checked.reduce((sum, { rendered }) => sum + rendered, 0),
      reusedImages: checked.reduce((sum, { reused }) => sum + reused, 0),
      failed: checked.reduce((sum, { failed }) => sum + failed, 0),
      left: needed.size,
    };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

type Site = {
  url: string;
  environment: NodeJS.ProcessEnv;
  /** The same store, past what stands before it: ten thousand objects are made sooner there. */
  direct?: ObjectStore;
  age(store: ObjectStore): Promise<void>;
};

const folderSite = (folder: string): Site => ({
  url: pathToFileURL(path.join(folder, 'out')).href,
  environment: {},
  async age(store) {
    const then = (Date.now() - AGE_MS) / 1_000;
    await inParallel(await names(store), (name) => utimes(new URL(`${store.url}/${name}`), then, then));
  },
});

async function bucketSite(ends: (() => Promise<unknown>)[]): Promise<Site> {
  const emulator = await startBucketEmulator();
  ends.push(() => emulator.stop());
  await emulator.createBucket('pixart-clean');
  process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
  const direct = await openStore(`${BUCKET}/`);
  const conditions = await startBucketConditions(emulator.endpoint);
  ends.push(() => conditions.stop());
  process.env.STORAGE_EMULATOR_HOST = conditions.endpoint;
  return {
    url: BUCKET,
    direct,
    environment: { STORAGE_EMULATOR_HOST: conditions.endpoint },
    age: async () => conditions.age(AGE_MS),
  };
}

async function startWorkers(
  address: string,
  folder: string,
  environment: NodeJS.ProcessEnv,
  ends: (() => Promise<unknown>)[],
): Promise<void> {
  const computed = path.join(folder, 'computations');
  await writeFile(computed, '');
  const children = await simulatedChildren({ computed, stepMs: 10 });
  const renderer = ['--renderer', '--address', address, '--bundle', BUNDLE];
  const start = (options: string[], more = {}) => new WorkerProcess(options, { ...environment, ...more });
  const workers = [
    new KeptWorker(() => start(['--orchestrator', '--address', address]), 'orchestrator ready'),
    new KeptWorker(() => start(renderer, children), 'render worker ready'),
  ];
  for (const worker of workers) ends.push(() => worker.stop());
  await until(async () => workers.every(({ works }) => works));
}

const submitter = (client: BatchClient, folder: string, store: string) => async (batch: string, prompts: string[]) => {
  const catalog = path.join(folder, `${batch}.csv`);
  await writeFile(catalog, ['prompt,steps', ...prompts.map((prompt) => `${prompt},4`)].join('\n'));
  await submitBatch(client, { batch, catalog, store, bundle: bundleRef(await openBundle(BUNDLE)) });
};

/** A batch that has ended, of pictures that nobody has drawn; most of its images are listed by its plan alone, which is the quickest. */
async function oldNight(store: ObjectStore, pictures: number): Promise<void> {
  const all = Array.from({ length: pictures }, (_, n) => `bulk-${n}`);
  await sampleBatch(store, 'old-night', all.slice(0, 10));
  const rest = all.slice(10);
  for (let at = 0; at < rest.length; at += SHARD) {
    const jobs = rest.slice(at, at + SHARD).map(jobOf);
    await store.create(shardName('old-night', 1, 1 + at / SHARD), await encodeJobs(jobs), 'application/x-ndjson');
  }
  await inParallel(rest, async (picture) => {
    const object = await putPicture(store, jobOf(picture), Buffer.from(`picture ${picture}`), null);
    await object!.copy(`batches/old-night/${picture}.png`);
  });
  if ((await store.stat(objectOf(all.at(-1)!))) === null) throw new Error('expected the old night in the store');
}

async function completed(client: BatchClient, store: ObjectStore, batch: string) {
  const end = await batchEnd(client, batch);
  if (end.state !== 'completed') throw new Error(`${batch}: expected it to complete, found ${JSON.stringify(end)}`);
  const { totals } = end.result;
  const { images, differences } = await verifyBatch(batch, { store: store.url });
  if (totals.failed > 0 || images !== totals.jobs || differences.length > 0) {
    throw new Error(`${batch}: expected ${totals.jobs} whole images, found ${images}: ${JSON.stringify(differences)}`);
  }
  return totals;
}

async function neededBy(store: ObjectStore, batch: string): Promise<string[]> {
  const needed: string[] = [];
  for (const { name } of await piecesIn(store, planFolder(batch))) {
    needed.push(...(await readJobs(store, name)).map(({ renderKey }) => `objects/${renderKey}.png`));
  }
  return needed;
}

const batchesLeft = async (store: ObjectStore): Promise<string[]> => [
  ...new Set((await names(store, 'batches/')).map((name) => name.split('/')[1]!)),
];

function same(what: string, found: string[], expected: string[]): void {
  const missing = expected.filter((name) => !found.includes(name));
  const more = found.filter((name) => !expected.includes(name));
  if (missing.length + more.length === 0) return;
  throw new Error(`${what}: missing ${missing.length}: ${missing[0]}; not needed ${more.length}: ${more[0]}`);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}
