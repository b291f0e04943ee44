import { existsSync } from 'node:fs';
import { UserError } from '../domain/user-error.ts';
import type { Bundle } from '../models/pixart/bundle.ts';
import { unknownPace } from '../records/at-most.ts';
import { PlannedPictures } from '../records/planned-pictures.ts';
import { type Preview, preview } from '../records/preview.ts';
import { readRates } from '../records/rates.ts';
import { isRefusal, openStore } from '../store/index.ts';
import type { CatalogInput } from './request.ts';
import { type CheckedCatalog, readRequestedCatalog, summaryOf } from './requested-catalog.ts';

/** Why a batch of a catalog would fail: it is not there yet, or what is wrong with it. */
export type CatalogTrouble = 'missing' | UserError;

/** What is known of a schedule's catalog before it is due; no plan where it lies elsewhere. */
export type ScheduledCatalog =
  | { trouble: CatalogTrouble }
  | {
      trouble: null;
      plan: CheckedCatalog | null;
      /** What a limit would be kept by; `null` where there is none, or no plan, or the store cannot be used from here. */
      preview: Preview | null;
    };

const ELSEWHERE: ScheduledCatalog = { trouble: null, plan: null, preview: null };

/**
 * What would make a batch of a catalog fail if it were due now, or else what it would come to. Looked at is a catalog that would lie on this machine. It may be
 * another one until it is read, elsewhere.
 *
 * @param called how messages name the catalog
 */
export async function catalogNow(
  input: CatalogInput,
  bundle: Bundle | null,
  called?: string,
): Promise<ScheduledCatalog> {
  const { url } = input.source;
  if (!url.startsWith('file:')) return ELSEWHERE;
  if (!existsSync(new URL(url))) return { trouble: 'missing' };
  const pictures = new PlannedPictures();
  try {
    const plan = await summaryOf(await readRequestedCatalog(input, called), bundle, (job) => pictures.add(job));
    return { trouble: null, plan, preview: input.atMost === undefined ? null : await previewIn(input, pictures) };
  } catch (error) {
    if (error instanceof UserError) return { trouble: error };
    throw error;
  }
}

async function previewIn({ store, bundle }: CatalogInput, pictures: PlannedPictures): Promise<Preview | null> {
  try {
    return await preview(pictures, await openStore(store), bundle.digest);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}

/**
 * A schedule whose batches may cost so much, where none has measured what images take, would never start one.
 *
 * @param warn told where the store cannot be asked from here
 * @throws UserError
 */
export async function checkPaceIsKnown(
  { store, bundle, atMost }: Pick<CatalogInput, 'store' | 'bundle' | 'atMost'>,
  warn: (message: string) => void,
): Promise<void> {
  if (atMost?.cost === undefined) return;
  const warnings: string[] = [];
  const opened = await openStore(store);
  try {
    if ((await readRates(opened, bundle.digest, (message) => warnings.push(message))) !== null) return;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return warn(`--max-cost: whether a pace is known cannot be seen from here: ${error.message}`);
  }
  throw new UserError(unknownPace(warnings));
}
