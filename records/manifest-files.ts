import { createSame, type ObjectStore } from '../store/index.ts';
import { type ManifestFormat, manifestName, manifestPrefix, roundManifestName } from './layout.ts';

/** Object names of a manifest and its tables. */
export type ManifestFiles = Record<ManifestFormat, string>;

export const MANIFEST_TYPES: Record<ManifestFormat, string> = {
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  csv: 'text/csv; charset=utf-8',
};

type ManifestContents = {
  /** The manifest of a round that ended at the given time (ISO 8601). */
  json: (finishedAt: string) => Promise<Uint8Array>;
  jsonl: Uint8Array;
  csv: Uint8Array;
};

/**
 * Writes a round's manifest and tables under names that are never reused. The manifest is written last, so that its
 * tables exist when it does. Another attempt with the same content finds the first one's files and leaves them. A round
 * with another result, as after it was cancelled and started again, gets other names.
 *
 * @returns the files' names, and the manifest's bytes
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
 * The names of the newest round's files, or of the copy if no round has files of its own. The caller checks whether they exist.
 */
export async function newestManifest(store: ObjectStore, batch: string): Promise<ManifestFiles> {
  const copy = filesOf((format) => manifestName(batch, format));
  const place = await newestPlace(store, batch);
  if (place === null) return copy;
  const files = filesOf((format) => roundManifestName(batch, ...place, format));
  const [copied, written] = [await store.stat(copy.json), await store.stat(files.json)];
  if (copied === null || copied.crc32c === written?.crc32c) return files;
  // The copy is either an earlier round's, which the store keeps, or a later one's, written after a temporary downgrade.
  const [ofCopy, ofRound] = [finishedAt(await store.read(copy.json)), finishedAt(await store.read(files.json))];
  return ofCopy > ofRound ? copy : files;
}

const filesOf = (name: (format: ManifestFormat) => string): ManifestFiles => ({
  json: name('json'),
  jsonl: name('jsonl'),
  csv: name('csv'),
});

/** The newest among the rounds that have files of their own; `null` if none has. */
async function newestPlace(store: ObjectStore, batch: string): Promise<Place | null> {
  const prefix = manifestPrefix(batch);
  let newest: Place | null = null;
  for await (const { name } of store.list(prefix)) {
    const place = placeOf(name.slice(prefix.length));
    if (place !== null && (newest === null || isLater(place, newest))) newest = place;
  }
  return newest;
}

/** A manifest's round, and its number within the round. */
type Place = [round: number, number: number];

/** Parses `-2.json` and `-2-3.json`; `null` for anything else. */
function placeOf(ending: string): Place | null {
  const [, round, number = '1'] = /^-([1-9]\d*)(?:-([1-9]\d*))?\.json$/.exec(ending) ?? [];
  return round === undefined ? null : [Number(round), Number(number)];
}

const isLater = ([round, number]: Place, [otherRound, otherNumber]: Place): boolean =>
  round > otherRound || (round === otherRound && number > otherNumber);

/** When a manifest was finished, from its first line, since the whole may be too long for one string. `''` if that is missing. */
function finishedAt(manifest: Uint8Array): string {
  const head = Buffer.from(manifest.subarray(0, HEAD_BYTES)).toString('utf8');
  return /"finishedAt":\s*"([^"]*)"/.exec(head)?.[1] ?? '';
}

const HEAD_BYTES = 4_096;
