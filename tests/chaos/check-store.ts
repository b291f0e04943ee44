import { type Job, jobSchema } from '../../domain/job.ts';
import { extraComputations, type Receipt, receiptSchema } from '../../domain/receipt.ts';
import { batchFolder, copyName, OBJECTS_FOLDER, objectName, planFolder, receiptsFolder } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { newestManifest } from '../../records/manifest-files.ts';
import type { ObjectStore } from '../../store/index.ts';
import { SCRATCH_FOLDER } from '../../store/object-name.ts';

/** What a finished batch turned out to hold. */
export type CheckedBatch = {
  objects: string[];
  extraComputations: number;
  /** Images that count as reused although nobody else made them: decision 071 tells how that comes. */
  reused: number;
};

/**
 * Whether a finished batch is what its plan says: one receipt, one image in the manifest, one object and one copy for each
 * job, whole, and nothing else.
 *
 * @throws Error that says what was expected and what is there
 */
export async function checkBatch(store: ObjectStore, batch: string): Promise<CheckedBatch> {
  const jobs = await pieces(store, planFolder(batch), (line) => jobSchema.parse(line));
  const receipts = await pieces(store, receiptsFolder(batch), (line) => receiptSchema.parse(line));
  const manifest = manifestSchema.parse(await json(store, (await newestManifest(store, batch)).json));
  const ids = jobs.map(({ id }) => id);
  same(`${batch}: ids of receipts`, idsOf(receipts), ids);
  same(`${batch}: ids in the manifest`, idsOf(manifest.images), ids);
  same(
    `${batch}: failures in the manifest`,
    manifest.failures.map(({ id, reason }) => `${id}: ${reason}`),
    [],
  );
  same(
    `${batch}: copies in its folder`,
    await copies(store, batch),
    jobs.map((job) => copyName(batch, job)),
  );
  const extra = receipts.reduce((sum, receipt) => sum + extraComputations(receipt), 0);
  const reused = receipts.filter(({ outcome }) => outcome === 'reused').length;
  const totals = {
    jobs: ids.length,
    rendered: ids.length - reused,
    reused,
    failed: 0,
    cancelled: 0,
    extraComputations: extra,
  };
  same(`${batch}: totals of the manifest`, entries(manifest.totals), entries(totals));
  for (const job of jobs) await checkImage(store, batch, job, manifest);
  return { objects: jobs.map(objectOf), extraComputations: extra, reused };
}

/** Whether the store has these objects and no others, and nothing in its scratch space. @throws Error */
export async function checkStore(store: ObjectStore, objects: string[]): Promise<void> {
  same('objects in the store', await names(store, OBJECTS_FOLDER), objects);
  same('names in scratch', await names(store, SCRATCH_FOLDER), []);
}

async function checkImage(store: ObjectStore, batch: string, job: Job, { images }: Manifest): Promise<void> {
  const told = images.find(({ id }) => id === job.id)!;
  for (const name of [objectOf(job), copyName(batch, job)]) {
    const found = await store.stat(name);
    same(
      `${batch}: checksum and size of ${name}`,
      [`${found?.crc32c} ${found?.bytes}`],
      [`${told.crc32c} ${told.bytes}`],
    );
  }
}

const objectOf = ({ renderKey, format }: Job): string => objectName(renderKey, format);

const idsOf = (receipts: Pick<Receipt, 'id'>[]): string[] => receipts.map(({ id }) => id);

const entries = (totals: Record<string, number>): string[] =>
  Object.entries(totals).map(([name, value]) => `${name} ${value}`);

/** Images only: the manifest, its tables and the contact sheet lie beside them. */
async function copies(store: ObjectStore, batch: string): Promise<string[]> {
  return (await names(store, batchFolder(batch))).filter((name) => name.endsWith('.png'));
}

async function names(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list(prefix)) found.push(name);
  return found;
}

async function pieces<T>(store: ObjectStore, folder: string, parse: (line: unknown) => T): Promise<T[]> {
  const all: T[] = [];
  for (const name of await names(store, folder)) {
    const lines = text(await store.read(name))
      .split('\n')
      .filter(Boolean);
    all.push(...lines.map((line) => parse(JSON.parse(line))));
  }
  return all;
}

const json = async (store: ObjectStore, name: string): Promise<unknown> => JSON.parse(text(await store.read(name)));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** Compares lists in any order; something that is there twice has to be expected twice. */
function same(what: string, found: string[], expected: string[]): void {
  const [a, b] = [found.toSorted(), expected.toSorted()];
  if (a.length === b.length && a.every((value, index) => value === b[index])) return;
  const missing = expected.filter((value) => !found.includes(value));
  const extra = found.filter((value, index) => !expected.includes(value) || found.indexOf(value) !== index);
  throw new Error(
    `${what}: expected ${expected.length}, found ${found.length}; missing: ${missing.join(', ') || 'none'}; ` +
      `not expected, or twice: ${extra.join(', ') || 'none'}`,
  );
}
