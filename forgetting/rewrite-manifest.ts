import { z } from 'zod';
import { extraComputations, type Totals } from '../domain/receipt.ts';
import { gathered } from '../domain/turns.ts';
import { CarriedNames } from '../records/carried-names.ts';
import { damaged, parseRecord, type RecordFile } from '../records/damaged.ts';
import { headOf, manifestPieces } from '../records/manifest.ts';
import { MANIFEST_TYPES, type ManifestFiles } from '../records/manifest-files.ts';
import {
  type ManifestRow,
  manifestCsv,
  manifestJsonl,
  noteNames,
  readManifestJsonl,
} from '../records/manifest-table.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';

/**
 * Rewrites a manifest and its tables without some rows. All totals are counted again, which makes it idempotent.
 *
 * @throws DamagedRecord, and the store's errors
 */
export async function rewriteManifest(
  store: ObjectStore,
  files: ManifestFiles,
  ids: ReadonlySet<string>,
): Promise<void> {
  const table = await readIfThere(store, files.jsonl);
  const rows = (table === null ? [] : await readManifestJsonl(table, fileOf(store, files.jsonl))).filter(
    ({ id }) => !ids.has(id),
  );
  const manifest = await readIfThere(store, files.json);
  const carried = new CarriedNames();
  for (const row of rows) noteNames(row, carried);
  const write = async (format: keyof ManifestFiles, bytes: Uint8Array): Promise<void> =>
    void (await store.replace(files[format], bytes, MANIFEST_TYPES[format]));
  if (manifest !== null) await write('json', await manifestWithout(manifest, ids, rows, fileOf(store, files.json)));
  if (table === null) return;
  await write('csv', await gathered(manifestCsv(rows, carried)));
  await write('jsonl', await gathered(manifestJsonl(rows)));
}

/** Line by line: the whole may be too long for one string. */
async function manifestWithout(
  bytes: Uint8Array,
  ids: ReadonlySet<string>,
  rows: readonly ManifestRow[],
  file: RecordFile,
): Promise<Uint8Array> {
  const head = headOf(bytes);
  if (head === null) throw damaged(file, null, 'an incomplete one');
  const lists = { images: [] as string[], failures: [] as string[] };
  let list = lists.images;
  for (const line of linesOf(bytes)) {
    if (line.startsWith('"failures"')) list = lists.failures;
    const entry = ENTRY.exec(line)?.[1];
    if (entry !== undefined && !ids.has(idOf(entry, file))) list.push(entry);
  }
  // A failure that stands for a shard without a plan has no row.
  const lost = lists.failures.length - rows.filter(({ status }) => status === 'failed').length;
  const { format: _, ...kept } = head;
  return gathered(manifestPieces({ ...kept, totals: totalsOf(rows, lost) }, lists.images, lists.failures));
}

function totalsOf(rows: readonly ManifestRow[], lost: number): Totals {
  const totals: Totals = { jobs: lost, rendered: 0, reused: 0, failed: lost, cancelled: 0, extraComputations: 0 };
  for (const { status, computations } of rows) {
    totals.jobs += 1;
    totals[status] += 1;
    if (status === 'rendered' || status === 'reused') {
      totals.extraComputations += extraComputations({ outcome: status, computations: computations ?? 0 });
    }
  }
  return totals;
}

/** An image or failure, and what may come after it on its line. */
const ENTRY = /^(\{"id":.*\}\})(?:,|\],|\]\})?$/;

const idOf = (entry: string, file: RecordFile): string => parseRecord(Buffer.from(entry), withId, file).id;

const withId = z.object({ id: z.string() });

const NEWLINE = 0x0a;

function* linesOf(bytes: Uint8Array): Generator<string> {
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    yield Buffer.from(bytes.subarray(start, end)).toString('utf8');
    start = end + 1;
  }
}

const fileOf = ({ url }: ObjectStore, name: string): RecordFile => ({
  store: url,
  name,
  holds: "a round's results, one job a line",
  remedy: 'Run "retry", which writes a new one, and remove this one; or forget the batch as a whole.',
});
