import { createSame, type ObjectStore } from '../store/index.ts';
import { type ManifestFormat, manifestName, manifestPrefix, roundManifestName } from './layout.ts';

/** Object names of a manifest and its tables. */
export type ManifestFiles = Record<ManifestFormat, string>;

export const MANIFEST_TYPES: Record<ManifestFormat, string> = {
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
};

export type ManifestContents = {
  /** The manifest of a round that ended at an instant (ISO 8601). */
  json: (finishedAt: string) => Promise<Uint8Array>;
  jsonl: Uint8Array;
  csv: Uint8Array;
};

/**
 * Keeps what a round came to, under names that nothing is ever written under again: the manifest last, so that its tables are there when it
 * is. Another attempt at the same finds the first one's and leaves them, whenever that was; where the round came to something else, perhaps
 * because it was cancelled and begun again, its files have names of their own.
 *
 * @returns their names, and the manifest's bytes
 */
export async function keepRoundManifest(
  store: ObjectStore,
  { batch, round }: { batch: string; round: number },
  { json, jsonl, csv }: ManifestContents,
): Promise<{ files: ManifestFiles; manifest: Uint8Array }> {
  const finished = await json(new Date().toISOString());
  for (let number = 1; ; number++) {
    const files = filesOf((format) => roundManifestName(batch, round, number, format));
    if (!(await createSame(store, files.jsonl, jsonl, MANIFEST_TYPES.jsonl))) continue;
    if (!(await createSame(store, files.csv, csv, MANIFEST_TYPES.csv))) continue;
    const { created, stat } = await store.create(files.json, finished, MANIFEST_TYPES.json);
    if (created) return { files, manifest: finished };
    const there = await stat.read();
    if (Buffer.compare(there, await json(finishedAt(there))) === 0) return { files, manifest: there };
  }
}

/**
 * The files of the batch's newest round: a round's own, or the newest copy of a batch of which no round has any. Whether they are there is
 * the caller's to see.
 */
export async function newestManifest(store: ObjectStore, batch: string): Promise<ManifestFiles> {
  const copy = filesOf((format) => manifestName(batch, format));
  const place = await newestPlace(store, batch);
  if (place === null) return copy;
  const files = filesOf((format) => roundManifestName(batch, ...place, format));
  const [copied, written] = [await store.stat(copy.json), await store.stat(files.json)];
  if (copied === null || copied.crc32c === written?.crc32c) return files;
  // Either an earlier round's, which the store keeps, or a later one's, by an earlier version that was back for a while.
  const [ofCopy, ofRound] = [finishedAt(await store.read(copy.json)), finishedAt(await store.read(files.json))];
  return ofCopy > ofRound ? copy : files;
}

const filesOf = (name: (format: ManifestFormat) => string): ManifestFiles => ({
  json: name('json'),
  jsonl: name('jsonl'),
  csv: name('csv'),
});

/** Of the rounds that have files of their own; `null` where none has. */
async function newestPlace(store: ObjectStore, batch: string): Promise<Place | null> {
  const prefix = manifestPrefix(batch);
  let newest: Place | null = null;
  for await (const { name } of store.list(prefix)) {
    const place = placeOf(name.slice(prefix.length));
    if (place !== null && (newest === null || isLater(place, newest))) newest = place;
  }
  return newest;
}

/** Which round's manifest it is, and which of that round. */
type Place = [round: number, number: number];

/** Of `-2.json` and `-2-3.json`; `null` of anything else. */
function placeOf(ending: string): Place | null {
  const [, round, number = '1'] = /^-([1-9]\d*)(?:-([1-9]\d*))?\.json$/.exec(ending) ?? [];
  return round === undefined ? null : [Number(round), Number(number)];
}

const isLater = ([round, number]: Place, [otherRound, otherNumber]: Place): boolean =>
  round > otherRound || (round === otherRound && number > otherNumber);

/** Of a manifest's bytes, whose first line has it; the whole of them may be too long for one string. `''` where it is not there. */
function finishedAt(manifest: Uint8Array): string {
  const head = Buffer.from(manifest.subarray(0, HEAD_BYTES)).toString('utf8');
  return /"finishedAt":\s*"([^"]*)"/.exec(head)?.[1] ?? '';
}

const HEAD_BYTES = 4_096;
