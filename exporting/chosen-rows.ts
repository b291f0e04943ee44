import { UserError } from '../domain/user-error.ts';
import { readBatchRows } from '../records/batch-rows.ts';
import { decisionsIn, noneDecided } from '../records/decisions.ts';
import { isDecisionsName, keptCatalogFolder } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import { type ListedObject, type ObjectStore, readUrl, storeUrl } from '../store/index.ts';

/** Which pictures of a batch to export: all, or those approved in a table of decisions; default: the tables given to retries. */
export type Choice = { approved?: string | undefined; all?: boolean | undefined };

export type Chosen = {
  rows: ManifestRow[];
  /** Pictures left out because of the review, and rows without a picture. */
  left: { rejected: number; undecided: number; withoutImage: number };
};

/**
 * The rows of a batch whose pictures are chosen. A decision counts for the picture that was reviewed, not for one that
 * took its place.
 *
 * @throws UserError if the batch has no manifest, there is no review, or no picture is chosen
 */
export async function chosenRows(store: ObjectStore, batch: string, { approved, all }: Choice): Promise<Chosen> {
  if (all === true && approved !== undefined) {
    throw new UserError('expected either all images or the approved ones, found both');
  }
  const rows = await readBatchRows(store, batch);
  const withImage = rows.filter(({ file }) => file !== '');
  const withoutImage = rows.length - withImage.length;
  if (withImage.length === 0) {
    throw new UserError(
      `batch ${batch}: expected images to export, found none: none of its rows has one; "retry" renders them`,
    );
  }
  if (all === true) return { rows: withImage, left: { rejected: 0, undecided: 0, withoutImage } };
  const decided = await decisionsOf(store, batch, approved);
  const saying = (wanted: string | undefined): ManifestRow[] =>
    withImage.filter(({ id, render_key }) => decided.get(keyOf(id, render_key)) === wanted);
  const [chosen, rejected] = [saying('approved'), saying('rejected').length];
  if (chosen.length === 0) {
    const where = approved ?? `batch ${batch}, decisions given to retries`;
    throw noneDecided(where, 'approved', [...decided.values()].includes('approved'));
  }
  const undecided = withImage.length - chosen.length - rejected;
  return { rows: chosen, left: { rejected, undecided, withoutImage } };
}

const keyOf = (id: string, renderKey: string): string => `${renderKey}/${id}`;

async function decisionsOf(store: ObjectStore, batch: string, approved?: string): Promise<Map<string, string>> {
  const decided = new Map<string, string>();
  const take = async (bytes: Uint8Array, file: string): Promise<void> => {
    for await (const { id, renderKey, decision } of decisionsIn(bytes, file))
      decided.set(keyOf(id, renderKey), decision);
  };
  if (approved !== undefined) {
    await take(await readUrl(storeUrl(approved), 'decisions'), approved);
    return decided;
  }
  const kept = await keptDecisions(store, batch);
  if (kept.length === 0) {
    throw new UserError(
      `batch ${batch}: expected a review, found none: approve images on its page (contact-sheet.html), export the decisions there and pass them with ` +
        '--approved decisions.csv; or export all images with --all',
    );
  }
  for (const { name } of kept) await take(await store.read(name), name);
  return decided;
}

/** Decisions given to retries, oldest first: of two about one picture, the later one counts. */
async function keptDecisions(store: ObjectStore, batch: string): Promise<ListedObject[]> {
  const kept: ListedObject[] = [];
  for await (const object of store.list(keptCatalogFolder(batch))) {
    if (isDecisionsName(batch, object.name)) kept.push(object);
  }
  return kept.sort((a, b) => a.writtenAt - b.writtenAt);
}
