import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../domain/user-error.ts';
import { storeKind, storeUrl } from '../../store/index.ts';
import { allowanceOf, allowedUrl } from '../../workers/allowance.ts';
import { notEmpty } from './values.ts';

export type AllowOptions = { allow?: string[] };

export const allowOption = (usual: string): Option =>
  new Option(
    '--allow <place>',
    `place that batches may use: a folder or file, gs://bucket/prefix, a webhook's https://host, or mailto:domain; repeatable (or PIXART_ALLOW, ` +
      `comma-separated); default for each kind not given: ${usual}`,
  ).argParser(allowed);

function allowed(place: string, before: string[] = []): string[] {
  notEmpty('a folder, gs://bucket/prefix, https://host or mailto:domain')(place);
  try {
    allowanceOf([place]);
  } catch (error) {
    throw error instanceof UserError ? new InvalidArgumentError(error.message) : error;
  }
  return [...before, allowedUrl(place)];
}

/**
 * The allowed places as URLs: from the options, or else from the environment.
 *
 * @throws UserError if the environment names something that cannot be allowed
 */
export function allowedPlaces({ allow }: AllowOptions, env: NodeJS.ProcessEnv = process.env): string[] {
  if (allow !== undefined) return allow;
  const places = (env.PIXART_ALLOW ?? '').split(',').map((place) => place.trim());
  const urls = places.filter((place) => place !== '').map(allowedUrl);
  allowanceOf(urls);
  return urls;
}

/** What a fleet on one machine may use: also its store, if that is a folder. @throws UserError like allowedPlaces */
export function placesOf(options: AllowOptions & { store: string }): string[] {
  const store = storeUrl(options.store);
  if (storeKind(store) !== 'folder') return allowedPlaces(options);
  allowanceOf([store]);
  return [store, ...allowedPlaces(options)];
}
