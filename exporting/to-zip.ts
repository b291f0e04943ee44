import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { digestOf } from '../domain/digest.ts';
import { fileStoreError } from '../store/file-errors.ts';
import { type ObjectStore, openPlace, readIfThere, TEMP_FOLDER } from '../store/index.ts';
import { emptyOutcome, type Outcome } from './outcome.ts';
import {
  decodeRecord,
  type Exported,
  encodeRecord,
  exportedOf,
  MOST_RECORD_BYTES,
  RECORD_NAME,
  RECORD_TYPE,
} from './record.ts';
import { inOrder, type Unmade, type Work } from './work.ts';
import { type Content, contentOf, ZipFile } from './zip-file.ts';

/**
 * Exports to a zip file, with a record of its entries inside it and a record of the file beside it. If anything has
 * changed, the whole file is rewritten, but only over a file that an export wrote.
 */
export async function exportToZip(
  path: string,
  batch: string,
  works: readonly Work[],
  onPicture: () => void,
): Promise<Outcome> {
  const { folder, name, before, outcome } = await foreseen(path, works);
  if (outcome.unchanged.length > 0) return outcome;
  try {
    const { content, made, unmade, unclear, state } = await written(path, batch, works, before, onPicture);
    if (state !== 'kept') {
      const record = encodeRecord(new Map([[name, { batch, from: fromOf(made), ...content }]]));
      await folder.replace(recordName(name), record, RECORD_TYPE);
      await folder.removeEmptyFolders(`${TEMP_FOLDER}/`);
    }
    return { ...emptyOutcome(), [state]: [name], unmade, unclear };
  } catch (error) {
    throw fileStoreError(folder.url, `write ${name}`, error);
  }
}

/**
 * Makes the file, and puts it into its place unless a file is there that no export wrote. A file with the same content
 * counts as ours: a killed process may not have recorded it.
 */
async function written(
  path: string,
  batch: string,
  works: readonly Work[],
  before: Exported | undefined,
  onPicture: () => void,
) {
  const zip = await ZipFile.begin(path);
  try {
    const added = await addAll(zip, batch, works, onPicture);
    const content = await zip.finish();
    const there = await contentOf(path);
    if (there !== null && isSame(there, content)) return { ...added, content, state: 'unchanged' as const };
    if (there !== null && !isSame(there, before)) return { ...added, content, state: 'kept' as const };
    await zip.publish();
    return { ...added, content, state: 'written' as const };
  } finally {
    await zip.discard();
  }
}

/** What exportToZip would do. */
export const foreseeZip = async (path: string, works: readonly Work[]): Promise<Outcome> =>
  (await foreseen(path, works)).outcome;

async function foreseen(path: string, works: readonly Work[]) {
  const name = basename(path);
  const folder = await openPlace(pathToFileURL(dirname(path)).href);
  const before = await recordBeside(folder, name);
  const there = await contentOf(path);
  const state = there === null ? 'written' : stateOf(there, before, works);
  return { folder, name, before, outcome: { ...emptyOutcome(), [state]: [name] } };
}

function stateOf(
  there: Content,
  before: Exported | undefined,
  works: readonly Work[],
): 'written' | 'unchanged' | 'kept' {
  if (!isSame(there, before)) return 'kept';
  return before?.from === fromOf(works) ? 'unchanged' : 'written';
}

const recordName = (name: string): string => `${name}.${RECORD_NAME}`;

async function recordBeside(folder: ObjectStore, name: string): Promise<Exported | undefined> {
  const bytes = await readIfThere(folder, recordName(name), MOST_RECORD_BYTES);
  return decodeRecord(bytes, `${folder.url}/${recordName(name)}`).get(name);
}

const fromOf = (works: readonly Work[]): string =>
  digestOf({ files: works.map(({ names, from }) => [...names, from]) });

const isSame = (found: Content, exported: Content | undefined): boolean => found.sha256 === exported?.sha256;

async function addAll(
  zip: ZipFile,
  batch: string,
  works: readonly Work[],
  onPicture: () => void,
): Promise<{ unmade: Unmade[]; unclear: string[]; made: Work[] }> {
  const [unmade, made, entries]: [Unmade[], Work[], Map<string, Exported>] = [[], [], new Map()];
  const unclear = new Set<string>();
  const results = inOrder(works, async (work) => ({ work, ...(await work.make(onPicture)) }));
  for await (const { work, files, unmade: missing, unclear: hardly } of results) {
    unmade.push(...missing);
    for (const id of hardly) unclear.add(id);
    if (missing.length === 0) made.push(work);
    for (const { name, data } of files) {
      await zip.add(name, data);
      entries.set(name, exportedOf(batch, work.from, data));
    }
  }
  await zip.add(RECORD_NAME, encodeRecord(entries));
  return { unmade, unclear: [...unclear], made };
}
