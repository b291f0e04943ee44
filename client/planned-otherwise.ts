import { isDeepStrictEqual } from 'node:util';
import { type BundleRef, shortDigest } from '../domain/bundle-ref.ts';
import { pipelineVersionOf } from '../domain/render-key.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import type { RoundSettings, Rounds } from '../records/rounds.ts';
import type { ObjectStore } from '../store/index.ts';
import { roundSettings } from '../workflows/contract/round.ts';
import { firstJob } from './plan-premises.ts';
import type { CatalogInput } from './request.ts';

/**
 * How the plan in a batch's folder differs from the one that the same catalog would get now, in words that follow "the batch
 * already exists". `null` if it does not differ, or there is none.
 */
export async function plannedOtherwise(
  store: ObjectStore,
  input: CatalogInput,
  rounds: Rounds,
): Promise<string | null> {
  const { bundle, ...settings } = roundSettings(input);
  if (rounds.record !== null) {
    const { bundle: before, ...kept } = rounds.record.settings;
    if (before.digest !== bundle.digest) return `planned with bundle ${textOf(before)} and not with ${textOf(bundle)}`;
    return isDeepStrictEqual(decisive(kept), decisive(settings))
      ? null
      : 'planned with other options for its size, image format, columns, names, seeds or choices';
  }
  if (rounds.firstPiece === null) return null;
  const job = await firstJob(store, rounds.firstPiece);
  const isSame = pipelineVersionOf(job, bundle.digest, PIPELINE_VERSION) !== null;
  return isSame ? null : `planned with another bundle than ${textOf(bundle)}`;
}

const textOf = ({ name, digest }: Pick<BundleRef, 'name' | 'digest'>): string => `${name} (${shortDigest(digest)})`;

/**
 * What determines a plan, besides the catalog and the bundle. The place of the terms does not matter: their contents
 * are stored.
 */
function decisive({ reading, defaults }: Pick<RoundSettings, 'reading' | 'defaults'>): unknown {
  const { terms: _, ...expansion } = reading?.expansion ?? { terms: null };
  // As JSON, which drops undefined.
  return JSON.parse(JSON.stringify({ ...reading, defaults, expansion }));
}
