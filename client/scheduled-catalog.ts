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

/** Why a batch of a catalog would fail: it is missing, or what is wrong with it. */
export type CatalogTrouble = 'missing' | UserError;

/** What is known about a schedule's catalog before it is due; there is no plan if it is on another machine. */
export type ScheduledCatalog =
  | { trouble: CatalogTrouble }
  | {
      trouble: null;
      plan: CheckedCatalog | null;
      /** The figures to check limits with; `null` if there are no limits, no plan, or the store cannot be used from here. */
      preview: Preview | null;
    };

const ELSEWHERE: ScheduledCatalog = { trouble: null, plan: null, preview: null };

/**
 * Checks what a batch of a catalog would do if it were due now. Only a catalog on this machine is checked; it may change
 * before it is read, or be another file on the machine that reads it.
 *
 * @param called the catalog's name in messages
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
 * Refuses a maximum cost if no batch has measured how long images take: the schedule would never start one.
 *
 * @param warn called if the store cannot be read from here
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
    return warn(`--max-cost: cannot check from here whether a pace is known: ${error.message}`);
  }
  throw new UserError(unknownPace(warnings));
}
