import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { batchEnd, submitBatch } from '../../client/index.ts';
import { jobSchema } from '../../domain/job.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { objectName, planFolder } from '../../records/layout.ts';
import { crc32c } from '../../store/crc32c.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { checkBatch, checkStore } from '../chaos/check-store.ts';
import { seededRandom } from '../chaos/random.ts';
import { BUNDLE } from '../chaos/simulated-children.ts';
import { CellFault, folderOf } from './cell-fault.ts';
import { type Cell, idOf } from './cells.ts';
import type { FaultyFleet } from './faulty-fleet.ts';
import { until, within } from './waits.ts';

/** What was found in a cell. */
export type Found = Cell & {
  /** What status said meanwhile; `null` where it was not asked, or had nothing to say. */
  told: string | null;
  /** Requests or system calls that met the fault. */
  hits: number;
  /** Computations beyond one for each image. */
  computedAgain: number;
  seconds: number;
};

/** A worker that dies is missed after half a minute; the rest is for a machine that is busy with other things. */
const OVER_WITHIN_MS = 480_000;
/** Of images that a painter has in hand when it dies. */
const IN_HAND = 2;

/**
 * Runs a small batch that meets the cell's fault once it gets to the cell's activity, ends the fault as soon as status
 * tells of it, and looks whether what the batch leaves is what it would be without.
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
  const url = cell.store === 'bucket' ? `gs://${bucket}/${id}` : pathToFileURL(folderOf(fleet, id)).href;
  const jobs = random.between(3, 6);
  const before = await fleet.computations();
  const fault = new CellFault(cell, id, fleet, random.between(0, 1_500));
  try {
    await meet(fault, () => submit(fleet, { batch: id, url, jobs, steps: random.between(10, 40) }));
    await completed(fleet, id);
    const computedAgain = (await fleet.computations()) - before - jobs;
    await check(await openStore(url), id);
    if (cell.activity === 'postWebhook')
      await until(() => fleet.receiver.told.includes(id), OVER_WITHIN_MS, 'the webhook was told');
    checkComputations(cell, jobs, computedAgain);
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return { ...cell, told: fault.told, hits: fault.hits, computedAgain, seconds };
  } finally {
    fault.leave();
  }
}

/** From the fault's beginning to its end. */
async function meet(fault: CellFault, submitted: () => Promise<void>): Promise<void> {
  try {
    await fault.prepare();
    await submitted();
    await fault.strike();
    await fault.pass();
  } finally {
    await fault.clear();
  }
}

function checkComputations(cell: Cell, jobs: number, again: number): void {
  const allowed = killsPainter(cell) ? IN_HAND : 0;
  if (again > allowed)
    throw new Error(`${idOf(cell)}: expected at most ${allowed} computations more than ${jobs}, found ${again} more`);
}

/** In a folder half a file is what a process leaves that is killed. */
const killsPainter = ({ activity, fault, store }: Cell): boolean =>
  activity === 'renderImage' &&
  (['child killed', 'worker killed', 'out of memory'].includes(fault) ||
    (fault === 'partial write' && store === 'folder'));

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

/** By itself: nobody asks for a retry. */
async function completed({ client }: FaultyFleet, batch: string): Promise<void> {
  const end = await within(batchEnd(client, batch), OVER_WITHIN_MS, `${batch}: the end of the batch`);
  if (end.state === 'completed' && end.result.totals.failed === 0) return;
  throw new Error(`${batch}: expected it to complete, found ${JSON.stringify(end)}`);
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
