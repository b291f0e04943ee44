import { inParallel } from '../../cleaning/in-parallel.ts';
import { batchEnd, type CleanResult, reviewPageEnd, verifyBatch } from '../../client/index.ts';
import type { Job } from '../../domain/job.ts';
import { putPicture } from '../../pictures/picture-place.ts';
import {
  BATCHES_FOLDER,
  batchFolder,
  batchOf,
  copyName,
  OBJECTS_FOLDER,
  objectName,
  planFolder,
  shardName,
} from '../../records/layout.ts';
import { encodeJobs, piecesIn, readJobs } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import { expectCode, jsonLines, startPixartBatch } from '../e2e/command-line.ts';
import { type CleanedSite, startCleanedSite, until } from './cleaned-site.ts';
import { jobOf, names, objectOf, sampleBatch } from './sample-batch.ts';

export type BesideOptions = {
  kind: 'folder' | 'bucket';
  /** Objects of an old batch that nobody needs any more. */
  unneeded: number;
  /** Pictures of another old batch that each new batch finds again, beside as many that it has to render. */
  reused: number;
  say?: (text: string) => void;
};

export type Beside = {
  /** What was in the store when cleaning began. */
  files: number;
  objects: number;
  /** Objects that a batch took up while the first clean, which was about to remove them, stood still. */
  takenUp: number;
  /** Objects that were gone when the first clean was killed. */
  goneAtKill: number;
  /** Objects that the next clean removed. */
  removedAfterKill: number;
  /** While a clean ran. */
  cleanSeconds: number;
  /** That ran meanwhile, and their images, all of them verified. */
  batches: number;
  images: number;
  rendered: number;
  reusedImages: number;
  failed: number;
  /** Objects that are left: exactly those that these batches need. */
  left: number;
};

const SHARD = 500;
const SAY_MS = 10_000;

/**
 * Cleans a store of two old nights while batches run, one of them half way when the first clean begins. That clean is stopped when it has read
 * what batches need and has removed its first object; a new batch takes up objects that it is about to remove; it goes on, and is killed when half
 * of the objects are gone. Another clean does the rest, beside one new batch after the other. Server, workers and cleans are processes.
 *
 * @throws Error where anything of the new batches is missing or differs, or anything is left that nobody needs
 */
export async function cleanBesideBatches({ kind, unneeded, reused, say = () => {} }: BesideOptions): Promise<Beside> {
  const site = await startCleanedSite(kind);
  try {
    say(`making an old night of ${unneeded} pictures, and one of ${3 * reused} that are found again`);
    const bulk = Array.from({ length: unneeded }, (_, n) => `bulk-${n}`);
    await oldNights(site, bulk, reused);
    const before = await names(site.store);
    const objects = before.filter((name) => name.startsWith('objects/'));
    const nights = new Nights(site, reused);
    const first = await nights.begin();
    await until(async () => (await names(site.store, batchFolder(first))).some((name) => name.endsWith('.png')));

    say(`cleaning ${before.length} files, ${objects.length} objects among them`);
    const gone = watchedRemovals(site, bulk);
    const progress = setInterval(() => say(`${gone.size} of ${unneeded} objects gone, ${nights}`), SAY_MS);
    try {
      const killed = await cleanAndKill(site, nights, { gone, objects, unneeded, say });
      const { result, seconds } = await cleanToItsEnd(site, nights);
      say(`cleaned; waiting for the last of ${nights}, and verifying all`);
      const totals = await nights.verified();
      return {
        ...{ files: before.length, objects: objects.length, ...killed },
        ...{ removedAfterKill: result.counts.objects.files, cleanSeconds: killed.cleanSeconds + seconds },
        ...{ ...totals, left: await checkLeft(site.store, nights.names) },
      };
    } finally {
      clearInterval(progress);
    }
  } finally {
    await site.stop();
  }
}

type Watched = { gone: ReadonlySet<string>; objects: readonly string[]; unneeded: number; say: (text: string) => void };

/** The first clean: stopped at its first object, gone on with when a batch has what it is about to remove, and killed half way. */
async function cleanAndKill(site: CleanedSite, nights: Nights, { gone, objects, unneeded, say }: Watched) {
  const clean = startClean(site);
  const tooSoon = clean.finished.then(({ stdout, stderr }) => {
    throw new Error(`the clean was over before it was to be stopped or killed:\n${stdout}${stderr}`);
  });
  tooSoon.catch(() => {});
  const untilGone = (objects: number) => Promise.race([until(async () => gone.size > objects), tooSoon]);
  try {
    const began = performance.now();
    await untilGone(0);
    clean.signal('SIGSTOP');
    const stopped = performance.now();
    const marked = new Set(objects.filter((name) => !gone.has(name)));
    say(`stopped the clean when ${gone.size} objects were gone, until a batch has taken up what it is about to remove`);
    const batch = await nights.begin();
    await until(async () => (await takenUp(site.store, batch, marked)) >= nights.reused / 2);
    const taken = await takenUp(site.store, batch, marked);
    const wentOn = performance.now();
    clean.signal('SIGCONT');
    say(`${taken} objects taken up; the clean goes on`);
    await untilGone(unneeded / 2);
    clean.signal('SIGKILL');
    const cleanSeconds = (performance.now() - wentOn + stopped - began) / 1_000;
    if ((await clean.finished).code !== null) await tooSoon;
    say(`killed the clean when ${gone.size} objects were gone; another goes on`);
    return { takenUp: taken, goneAtKill: gone.size, cleanSeconds };
  } finally {
    // Also one that stands still.
    clean.signal('SIGKILL');
  }
}

async function cleanToItsEnd(site: CleanedSite, nights: Nights): Promise<{ result: CleanResult; seconds: number }> {
  const began = performance.now();
  let seconds: number | undefined;
  const finished = startClean(site).finished.finally(() => {
    seconds = (performance.now() - began) / 1_000;
  });
  while (seconds === undefined) await batchEnd(site.client, await nights.begin());
  const [result] = jsonLines(expectCode(0, await finished)) as [CleanResult];
  return { result, seconds };
}

const startClean = ({ store, address, environment }: CleanedSite) =>
  startPixartBatch(
    ['clean', '--store', store.url, '--address', address, '--batches-older-than', '90d', '--yes', '--json'],
    environment,
  );

/** Names of objects that are gone, of those that nobody makes again. */
function watchedRemovals(site: CleanedSite, pictures: readonly string[]): ReadonlySet<string> {
  const watched = new Set(pictures.map(objectOf));
  const gone = new Set<string>();
  site.watchRemovals((name) => {
    if (watched.has(name)) gone.add(name);
  });
  return gone;
}

/** How many of these objects the batch has copies of. */
async function takenUp(store: ObjectStore, batch: string, objects: ReadonlySet<string>): Promise<number> {
  const copies = new Set(await names(store, batchFolder(batch)));
  const jobs = (await jobsOf(store, batch)).filter(({ renderKey, format }) =>
    objects.has(objectName(renderKey, format)),
  );
  return jobs.filter(({ id, format }) => copies.has(copyName(batch, id, format))).length;
}

const oldPrompt = (n: number): string => `fox number ${n}`;

/** Batches that have ended long ago: one whose pictures are rendered as those to come, and one of pictures that nobody has drawn. */
async function oldNights(site: CleanedSite, bulk: readonly string[], reused: number): Promise<void> {
  await site.submit(
    'old-shared',
    Array.from({ length: 3 * reused }, (_, n) => oldPrompt(n)),
  );
  const end = await batchEnd(site.client, 'old-shared');
  if (end.state !== 'completed') throw new Error(`expected an old night, found ${JSON.stringify(end)}`);
  await oldNight(site.direct, bulk);
  // Otherwise it makes the batch young again.
  await reviewPageEnd(site.client, end.result);
  await site.age();
}

/** Most of its images are listed by its plan alone, which is the quickest. */
async function oldNight(store: ObjectStore, pictures: readonly string[]): Promise<void> {
  await sampleBatch(store, 'old-night', pictures.slice(0, 10));
  const rest = pictures.slice(10);
  for (let at = 0; at < rest.length; at += SHARD) {
    const jobs = rest.slice(at, at + SHARD).map(jobOf);
    await store.create(shardName('old-night', 1, 1 + at / SHARD), await encodeJobs(jobs), 'application/x-ndjson');
  }
  await inParallel(rest, async (picture) => {
    const object = await putPicture(store, jobOf(picture), Buffer.from(`picture ${picture}`), null);
    await object!.copy(copyName('old-night', picture, 'png'));
  });
}

/** Batches of tonight, each of which finds a third of the old pictures again, and renders as many between them. */
class Nights {
  readonly names: string[] = [];
  readonly reused: number;
  readonly #site: CleanedSite;

  constructor(site: CleanedSite, reused: number) {
    this.#site = site;
    this.reused = reused;
  }

  async begin(): Promise<string> {
    const night = this.names.length;
    const name = `night-${night + 1}`;
    const prompts = Array.from({ length: this.reused }, (_, n) => [
      `owl number ${night}-${n}`,
      oldPrompt((night % 3) * this.reused + n),
    ]);
    await this.#site.submit(name, prompts.flat());
    this.names.push(name);
    return name;
  }

  /** What all of them came to. @throws Error where one has an image that is missing or differs */
  async verified() {
    const all = { batches: this.names.length, images: 0, rendered: 0, reusedImages: 0, failed: 0 };
    for (const name of this.names) {
      const end = await batchEnd(this.#site.client, name);
      if (end.state !== 'completed') throw new Error(`${name}: expected its end, found ${JSON.stringify(end)}`);
      const { jobs, rendered, reused, failed } = end.result.totals;
      const { images, differences } = await verifyBatch(name, { store: this.#site.store.url });
      if (failed > 0 || images !== jobs || differences.length > 0) {
        throw new Error(`${name}: expected ${jobs} whole images, found ${images}: ${JSON.stringify(differences)}`);
      }
      all.images += images;
      all.rendered += rendered;
      all.reusedImages += reused;
      all.failed += failed;
    }
    return all;
  }

  toString(): string {
    return `${this.names.length} new batches`;
  }
}

/** @returns how many objects there are @throws Error where they are not exactly those that the batches need, or other batches are left */
async function checkLeft(store: ObjectStore, batches: readonly string[]): Promise<number> {
  const needed = new Set<string>();
  for (const batch of batches) {
    for (const { renderKey, format } of await jobsOf(store, batch)) needed.add(objectName(renderKey, format));
  }
  same('objects', new Set(await names(store, OBJECTS_FOLDER)), needed);
  same('batches', new Set((await names(store, BATCHES_FOLDER)).map((name) => batchOf(name)!)), new Set(batches));
  return needed.size;
}

async function jobsOf(store: ObjectStore, batch: string): Promise<Job[]> {
  const pieces = await piecesIn(store, planFolder(batch));
  return (await Promise.all(pieces.map(({ name }) => readJobs(store, name)))).flat();
}

function same(what: string, found: ReadonlySet<string>, expected: ReadonlySet<string>): void {
  const missing = [...expected].filter((name) => !found.has(name));
  const more = [...found].filter((name) => !expected.has(name));
  if (missing.length + more.length === 0) return;
  throw new Error(`${what}: missing ${missing.length}: ${missing[0]}; not needed ${more.length}: ${more[0]}`);
}
