import { EventEmitter, once } from 'node:events';
import { batchEnd, type CleanResult, verifyBatch } from '../../client/index.ts';
import type { Job } from '../../domain/job.ts';
import {
  BATCHES_FOLDER,
  batchFolder,
  batchOf,
  copyName,
  OBJECTS_FOLDER,
  objectName,
  planFolder,
} from '../../records/layout.ts';
import { piecesIn, readJobs } from '../../records/plan-and-receipts.ts';
import type { ObjectStore } from '../../store/index.ts';
import { expectCode, jsonLines, startPixartBatch } from '../e2e/command-line.ts';
import { type CleanedSite, startCleanedSite, until } from './cleaned-site.ts';
import { oldNights, oldPrompt } from './old-nights.ts';
import { names, objectOf } from './sample-batch.ts';

export type BesideOptions = {
  kind: 'folder' | 'bucket';
  /** Objects of an old batch that are no longer needed. */
  unneeded: number;
  /** Pictures of another old batch that each new batch reuses, while it renders the same number. */
  reused: number;
  say?: (text: string) => void;
};

export type Beside = {
  /** The number of files in the store when cleaning started. */
  files: number;
  objects: number;
  /** Objects that a batch started to use while the first clean, about to remove them, was stopped. */
  takenUp: number;
  /** Objects that were gone when the first clean was killed. */
  goneAtKill: number;
  /** Objects that the next clean removed. */
  removedAfterKill: number;
  /** Time that cleans ran. */
  cleanSeconds: number;
  /** Batches that ran in the meantime; all of their images were verified. */
  batches: number;
  images: number;
  rendered: number;
  reusedImages: number;
  failed: number;
  /** Remaining objects: exactly those that these batches need. */
  left: number;
};

const SAY_MS = 10_000;

/**
 * Cleans a store of two old batches while others run, one of them half way when the first clean starts. That clean is
 * stopped (SIGSTOP) after it has read what batches need and removed its first object. A new batch then starts to use
 * objects that it is about to remove. It continues, and is killed when half of the objects are gone. Another clean
 * removes the rest, beside one new batch after the other. Server, workers and cleans are real processes.
 *
 * @throws Error if anything of the new batches is missing or differs, or anything is left that no batch needs
 */
export async function cleanBesideBatches({ kind, unneeded, reused, say = () => {} }: BesideOptions): Promise<Beside> {
  const site = await startCleanedSite(kind);
  try {
    say(`making an old night of ${unneeded} pictures, and one of ${3 * reused} that are found again`);
    const bulk = Array.from({ length: unneeded }, (_, n) => `bulk-${n}`);
    await oldNights(site, bulk, 3 * reused);
    const before = await names(site.store);
    const objects = before.filter((name) => name.startsWith('objects/'));
    const nights = new Nights(site, reused);
    const first = await nights.begin();
    await until(async () => (await names(site.store, batchFolder(first))).some((name) => name.endsWith('.png')));

    say(`cleaning ${before.length} files, ${objects.length} objects among them`);
    const gone = watchedRemovals(site, bulk);
    const progress = setInterval(() => say(`${gone.names.size} of ${unneeded} objects gone, ${nights}`), SAY_MS);
    try {
      const killed = await cleanAndKill(site, nights, { gone, unneeded, say });
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

type Watched = { gone: Removals; unneeded: number; say: (text: string) => void };

/** The first clean: stopped at its first object, continued once a batch uses what it is about to remove, and killed half way. */
async function cleanAndKill(site: CleanedSite, nights: Nights, { gone, unneeded, say }: Watched) {
  const clean = startClean(site);
  const tooSoon = clean.finished.then(({ stdout, stderr }) => {
    throw new Error(`the clean was over before it was to be stopped or killed:\n${stdout}${stderr}`);
  });
  tooSoon.catch(() => {});
  try {
    const began = performance.now();
    await Promise.race([gone.reach(1), tooSoon]);
    clean.signal('SIGSTOP');
    const stopped = performance.now();
    const there = new Set(await names(site.store, OBJECTS_FOLDER));
    say(
      `stopped the clean when ${gone.names.size} objects were gone, until a batch has taken up what it is about to remove`,
    );
    const batch = await nights.begin();
    await until(async () => (await takenUp(site.store, batch, there)) >= nights.reused / 2);
    const taken = await takenUp(site.store, batch, there);
    const wentOn = performance.now();
    clean.signal('SIGCONT');
    say(`${taken} objects taken up; the clean goes on`);
    await Promise.race([gone.reach(unneeded / 2), tooSoon]);
    clean.signal('SIGKILL');
    const cleanSeconds = (performance.now() - wentOn + stopped - began) / 1_000;
    if ((await clean.finished).code !== null) await tooSoon;
    say(`killed the clean when ${gone.names.size} objects were gone; another goes on`);
    return { takenUp: taken, goneAtKill: gone.names.size, cleanSeconds };
  } finally {
    // Works on a stopped process too.
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

/** Objects that are gone for good, since nothing renders them again. */
type Removals = { names: ReadonlySet<string>; reach(count: number): Promise<void> };

function watchedRemovals(site: CleanedSite, pictures: readonly string[]): Removals {
  const watched = new Set(pictures.map(objectOf));
  const names = new Set<string>();
  const seen = new EventEmitter();
  site.watchRemovals((name) => {
    if (watched.has(name) && names.size < names.add(name).size) seen.emit('gone');
  });
  return {
    names,
    async reach(count) {
      while (names.size < count) await once(seen, 'gone');
    },
  };
}

/** How many of these objects the batch has copies of. */
async function takenUp(store: ObjectStore, batch: string, objects: ReadonlySet<string>): Promise<number> {
  const copies = new Set(await names(store, batchFolder(batch)));
  const jobs = (await jobsOf(store, batch)).filter(({ renderKey, format }) =>
    objects.has(objectName(renderKey, format)),
  );
  return jobs.filter(({ id, format }) => copies.has(copyName(batch, { id, format }))).length;
}

/** Tonight's batches: each reuses a third of the old pictures, and renders the same number among them. */
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

  /** The result of all batches. @throws Error if an image is missing or differs */
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

/**
 * @returns how many objects there are
 *
 * @throws Error unless they are exactly those that the batches need and no other batch is left
 */
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
