import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { batchEnd, batchProgress, controlBatch, retryBatch, retrying, submitBatch } from '../../client/index.ts';
import { NoOrchestrator } from '../../client/progress.ts';
import { jobSchema } from '../../domain/job.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { objectName, planFolder } from '../../records/layout.ts';
import { crc32c } from '../../store/crc32c.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { checkBatch, checkStore } from '../chaos/check-store.ts';
import { seededRandom } from '../chaos/random.ts';
import { BUNDLE } from '../chaos/simulated-children.ts';
import { ACTIVITIES, accessOf, type Cell, idOf } from './cells.ts';
import type { FaultyFleet } from './faulty-fleet.ts';
import type { FaultyWorker } from './faulty-worker.ts';

/** What was found in a cell. */
export type Found = Cell & {
  /** `completed` by itself, or after `retry` had been asked for. */
  end: 'completed' | 'completed by retry';
  /** What status said meanwhile; `null` where it was not asked, or had nothing to say. */
  told: string | null;
  /** Requests or system calls that met the fault. */
  hits: number;
  /** Computations beyond one for each image. */
  computedAgain: number;
  seconds: number;
};

const HOUR = 3_600;
const LOOK_EVERY_MS = 50;
/** The emulator's client tries again for some ten seconds by itself; an activity that hangs says so sooner. */
const TOLD_WITHIN_MS = 40_000;
const REACHED_WITHIN_MS = 180_000;
/** A worker that dies is missed after half a minute; the rest is for a machine that is busy with other things. */
const OVER_WITHIN_MS = 480_000;
/** Of images that a painter has in hand when it dies. */
const IN_HAND = 2;

/**
 * Runs a small batch that meets the cell's fault once it gets to the cell's activity, ends the fault as soon as status tells of it, and
 * looks whether what the batch leaves is what it would be without.
 *
 * @throws Error where the fault was never met, or the batch or the store is not as it should be
 */
export async function runCell(
  cell: Cell,
  seed: number,
  { bucket, fleet }: { bucket: string; fleet: FaultyFleet },
): Promise<Found> {
  const began = performance.now();
  const id = idOf(cell);
  const random = seededRandom(seed);
  const url = cell.store === 'bucket' ? `gs://${bucket}/${id}` : pathToFileURL(path.join(fleet.folder, id)).href;
  const store = await openStore(url);
  const jobs = random.between(3, 6);
  const before = await fleet.computations();
  const fault = new CellFault(cell, id, fleet, random.between(0, 1_500));
  try {
    await fault.prepare();
    await submit(fleet, { batch: id, url, jobs, steps: random.between(10, 40) });
    await fault.strike();
    await fault.pass();
  } finally {
    await fault.clear();
  }
  const end = await ended(fleet, id);
  const extra = (await fleet.computations()) - before - jobs;
  await check(store, id);
  if (cell.activity === 'postWebhook')
    await until(() => fleet.receiver.told.includes(id), OVER_WITHIN_MS, 'the webhook was told');
  const allowed = cell.fault === 'worker killed' || cell.fault === 'child killed' || isRacy(cell) ? IN_HAND : 0;
  if (extra > allowed)
    throw new Error(`${id}: expected at most ${allowed} computations more than ${jobs}, found ${extra} more`);
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  return { ...cell, end, told: fault.told, hits: fault.hits, computedAgain: extra, seconds };
}

/** Faults of a folder that kill the painter as well. */
const isRacy = ({ activity, fault, store }: Cell): boolean =>
  activity === 'renderImage' && fault === 'partial write' && store === 'folder';

/** A cell's fault, from its beginning to its end. */
class CellFault {
  told: string | null = null;
  hits = 0;
  readonly #cell: Cell;
  readonly #batch: string;
  readonly #fleet: FaultyFleet;
  readonly #worker: FaultyWorker;
  readonly #access: NonNullable<ReturnType<typeof accessOf>>;
  readonly #delayMs: number;

  /** @param delayMs after which the fault begins where no access tells the moment */
  constructor(cell: Cell, batch: string, fleet: FaultyFleet, delayMs: number) {
    this.#cell = cell;
    this.#batch = batch;
    this.#fleet = fleet;
    this.#worker = fleet.worker(ACTIVITIES.find(({ name }) => name === cell.activity)!.role);
    this.#access = accessOf(cell)!;
    this.#delayMs = delayMs;
  }

  /** What lies in wait before the batch begins; what is asked for while it runs is not yet. */
  async prepare(): Promise<void> {
    if (this.#access === 'receiver') this.#fleet.receiver.fault = this.#isGate ? 'hang' : this.#cell.fault;
    this.#fleet.receiver.refused = 0;
    if (this.#asked === undefined) await this.#begin();
  }

  /** Until the batch has met it. */
  async strike(): Promise<void> {
    const { client } = this.#fleet;
    if (this.#asked !== undefined) {
      await until(
        async () => (await answered(() => batchProgress(client, this.#batch))).totals.rendered > 0,
        REACHED_WITHIN_MS,
        'an image',
      );
      await this.#begin();
      const filter = { column: 'id', pattern: 'fox-0' };
      // Images in hand are finished; the row that is not wanted any more is there.
      if (this.#asked === 'pause') await controlBatch(client, this.#batch, { kind: 'pause' });
      else await controlBatch(client, this.#batch, { kind: 'cancel-rows', filter });
    }
    if (this.#access === 'anything') await sleep(this.#delayMs);
    else await until(() => this.#count() > 0, REACHED_WITHIN_MS, `${this.#cell.activity} met the fault`);
  }

  /** What it does, until status tells of it. */
  async pass(): Promise<void> {
    const { fault } = this.#cell;
    if (fault === 'worker killed') await this.#worker.process.kill();
    else if (fault === 'child killed') this.#worker.process.killChild();
    else if (fault.startsWith('clock')) await this.#shift(fault === 'clock +1 h' ? HOUR : -HOUR);
    else if (this.#access === 'receiver') await sleep(this.#delayMs);
    else await this.#untilTold();
    if (this.#asked === 'pause')
      await answered(() => controlBatch(this.#fleet.client, this.#batch, { kind: 'resume' }));
  }

  async clear(): Promise<void> {
    this.hits = this.#count();
    this.#fleet.receiver.fault = null;
    await this.#worker.end();
  }

  get #asked() {
    return ACTIVITIES.find(({ name }) => name === this.#cell.activity)!.asked;
  }

  /** The activity is held at its access until the fault is done to its process. */
  get #isGate(): boolean {
    return this.#cell.fault.endsWith('killed') || this.#cell.fault.startsWith('clock');
  }

  async #begin(): Promise<void> {
    if (typeof this.#access === 'string') return;
    await this.#worker.begin({ ...this.#access, fault: this.#isGate ? 'hang' : this.#cell.fault });
  }

  #count(): number {
    return this.#access === 'receiver' ? this.#fleet.receiver.refused : this.#worker.hits;
  }

  /** Seen by the process before it goes on; the clock stays so for as long as the process lives. */
  async #shift(seconds: number): Promise<void> {
    await this.#worker.shiftClock(seconds);
    await sleep(2_000);
  }

  /** Not at all where the store's own tries hide it, or the process has died of it. */
  async #untilTold(): Promise<void> {
    const { client } = this.#fleet;
    for (const end = performance.now() + TOLD_WITHIN_MS; performance.now() < end; await sleep(LOOK_EVERY_MS * 4)) {
      if (!this.#worker.isFaulty) return;
      const [first] = await retrying(client, this.#batch);
      if (first !== undefined) {
        this.told = `${first.activity}${first.waitsForStore ? ' waits for the store' : ''}: ${first.reason}`;
        return;
      }
      if (
        (await answered(() => batchProgress(client, this.#batch))).state !== 'rendering' &&
        (await isOver(client, this.#batch))
      )
        return;
    }
  }
}

async function isOver(client: FaultyFleet['client'], batch: string): Promise<boolean> {
  return Promise.race([batchEnd(client, batch).then(() => true), sleep(500).then(() => false)]);
}

type Submission = { batch: string; url: string; jobs: number; steps: number };

async function submit(
  { client, folder, receiver }: FaultyFleet,
  { batch, url, jobs, steps }: Submission,
): Promise<void> {
  const rows = Array.from({ length: jobs }, (_, i) => `fox-${i},fox ${i} of ${batch},${steps}`);
  const catalog = path.join(folder, `${batch}.csv`);
  await writeFile(catalog, ['id,prompt,steps', ...rows, ''].join('\n'));
  const bundle = bundleRef(await openBundle(BUNDLE));
  await submitBatch(client, { catalog, store: url, bundle, batch, window: 2, webhook: receiver.url });
}

/** A batch that says that what it wrote is damaged is asked for again, as a person would. */
async function ended({ client }: FaultyFleet, batch: string): Promise<Found['end']> {
  const end = await within(batchEnd(client, batch), OVER_WITHIN_MS, `${batch}: the end of the batch`);
  if (end.state === 'completed' && end.result.totals.failed === 0) return 'completed';
  await retryBatch(client, batch);
  const again = await within(batchEnd(client, batch), OVER_WITHIN_MS, `${batch}: the end of its retry`);
  if (again.state === 'completed' && again.result.totals.failed === 0) return 'completed by retry';
  throw new Error(`${batch}: expected it to complete, found ${JSON.stringify(end)}, then ${JSON.stringify(again)}`);
}

/** Plan, receipts, manifest, copies and objects agree, nothing else is there, and each picture is the one of its job. */
async function check(store: ObjectStore, batch: string): Promise<void> {
  await checkBatch(store, batch);
  const plan = Buffer.from(await store.read(`${planFolder(batch)}1-00000.jsonl`)).toString();
  const jobs = plan
    .split('\n')
    .filter(Boolean)
    .map((line) => jobSchema.parse(JSON.parse(line)));
  await checkStore(
    store,
    jobs.map(({ renderKey, format }) => objectName(renderKey, format)),
  );
  for (const { id, renderKey, format, seed } of jobs) {
    const name = objectName(renderKey, format);
    const bytes = await store.read(name);
    if ((await store.stat(name))?.crc32c !== crc32c(bytes)) throw new Error(`${batch}: ${name} has another checksum`);
    // Children paint the whole picture in the colour of its seed.
    const { data } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    if (data.some((value) => value !== seed % 256)) throw new Error(`${batch}: the picture of ${id} is another one`);
  }
}

/** Of a command that orchestrators answer, while the only one is started again. */
async function answered<T>(command: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + REACHED_WITHIN_MS; ; ) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof NoOrchestrator) || performance.now() > end) throw error;
    }
  }
}

async function until(holds: () => boolean | Promise<boolean>, ms: number, what: string): Promise<void> {
  for (const end = performance.now() + ms; !(await holds()); await sleep(LOOK_EVERY_MS)) {
    if (performance.now() > end) throw new Error(`expected within ${ms / 1_000} s: ${what}`);
  }
}

async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  const late = new AbortController();
  const timeout = sleep(ms, undefined, { signal: late.signal }).then(() => {
    throw new Error(`expected within ${ms / 1_000} s: ${what}`);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    late.abort();
    timeout.catch(() => {});
  }
}
