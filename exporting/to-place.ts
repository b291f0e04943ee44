import { type ObjectStore, TEMP_FOLDER } from '../store/index.ts';
import { emptyOutcome, type Outcome } from './outcome.ts';
import { ExportPlace } from './place.ts';
import { exportedOf } from './record.ts';
import { inOrder, type Made, type Work } from './work.ts';

/**
 * After how many files to write the record; a killed process has to make that many again. The record is written as a
 * whole, so a longer one is written less often.
 */
const recordEvery = ({ record }: ExportPlace): number => Math.max(100, record.size / 10);

/** Exports to a folder or bucket, writing only what has changed. Files that no export wrote, or that were changed since, stay. */
export async function exportToPlace(
  store: ObjectStore,
  batch: string,
  works: readonly Work[],
  onPicture: () => void,
): Promise<Outcome> {
  const place = await ExportPlace.open(store);
  const outcome = emptyOutcome();
  const [unrecorded, unclear] = [new Set<string>(), new Set<string>()];
  try {
    const results = inOrder(works, async (work) => ({ work, ...(await changed(place, work, onPicture)) }));
    for await (const { work, unchanged, made } of results) {
      outcome.unchanged.push(...unchanged);
      if (made === null) continue;
      outcome.unmade.push(...made.unmade);
      for (const id of made.unclear) unclear.add(id);
      const { put, kept } = await putAll(place, batch, work, made);
      outcome.written.push(...put);
      outcome.kept.push(...kept);
      for (const name of put) unrecorded.add(name);
      if (unrecorded.size < recordEvery(place)) continue;
      await place.keepRecord(unrecorded);
      unrecorded.clear();
    }
  } finally {
    await place.keepRecord(unrecorded);
    await store.removeEmptyFolders(`${TEMP_FOLDER}/`);
  }
  return { ...outcome, left: leftOf(place, batch, outcome), unclear: [...unclear] };
}

/** What exportToPlace would do. Only an export finds out whether a file that no export wrote is identical anyway. */
export async function foreseeInPlace(store: ObjectStore, batch: string, works: readonly Work[]): Promise<Outcome> {
  const place = await ExportPlace.open(store);
  const outcome = emptyOutcome();
  const look = async (work: Work) => {
    const unchanged = await unchangedOf(place, work);
    const names = unchanged.length > 0 ? [] : work.names;
    return {
      unchanged,
      found: await Promise.all(names.map(async (name) => ({ name, state: await place.look(name) }))),
    };
  };
  for await (const { unchanged, found } of inOrder(works, look)) {
    outcome.unchanged.push(...unchanged);
    for (const { name, state } of found) outcome[state === 'other' ? 'kept' : 'written'].push(name);
  }
  return { ...outcome, left: leftOf(place, batch, outcome) };
}

async function changed(
  place: ExportPlace,
  work: Work,
  onPicture: () => void,
): Promise<{ unchanged: string[]; made: Made | null }> {
  const unchanged = await unchangedOf(place, work);
  if (unchanged.length === 0) return { unchanged, made: await work.make(onPicture) };
  for (let picture = 0; picture < work.pictures; picture++) onPicture();
  return { unchanged, made: null };
}

/** The work's files if all of them are there as an export wrote them, else none. */
async function unchangedOf(place: ExportPlace, work: Work): Promise<string[]> {
  const names = work.recorded(place.record);
  const states = await Promise.all(names.map((name) => place.look(name)));
  return states.every((state) => state === 'ours') ? names : [];
}

async function putAll(
  place: ExportPlace,
  batch: string,
  { from }: Work,
  { files, unmade }: Made,
): Promise<{ put: string[]; kept: string[] }> {
  const [put, kept]: [string[], string[]] = [[], []];
  for (const { name, data, contentType } of files) {
    const isPut = await place.put(name, data, contentType, exportedOf(batch, from, data));
    (isPut ? put : kept).push(name);
  }
  if (unmade.length > 0 || kept.length > 0) place.doubt(put);
  return { put, kept };
}

function leftOf({ record }: ExportPlace, batch: string, { written, unchanged, kept }: Outcome): string[] {
  const here = new Set([...written, ...unchanged, ...kept]);
  return [...record].filter(([name, exported]) => exported.batch === batch && !here.has(name)).map(([name]) => name);
}
