import { InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../domain/user-error.ts';
import { storeKind, storeUrl } from '../../store/index.ts';
import { allowanceOf, allowedUrl } from '../../workers/allowance.ts';
import { notEmpty } from './values.ts';

export type AllowOptions = { allow?: string[] };

export const allowOption = (otherwise: string): Option =>
  new Option(
    '--allow <place>',
    `what batches may name: a folder or file, gs://bucket/prefix, a webhook's https://host, or mailto:domain; may be given several times (PIXART_ALLOW, with ` +
      `commas between them); of each kind otherwise ${otherwise}`,
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
 * What was allowed, as URLs: by the options, or else by the environment.
 *
 * @throws UserError where the environment's is nothing that can be allowed
 */
export function allowedPlaces({ allow }: AllowOptions, env: NodeJS.ProcessEnv = process.env): string[] {
  if (allow !== undefined) return allow;
  const places = (env.PIXART_ALLOW ?? '').split(',').map((place) => place.trim());
  const urls = places.filter((place) => place !== '').map(allowedUrl);
  allowanceOf(urls);
  return urls;
}

/** What is allowed to a fleet of one machine: its store as well, where that is a folder. @throws UserError as allowedPlaces */
export function placesOf(options: AllowOptions & { store: string }): string[] {
  const store = storeUrl(options.store);
  if (storeKind(store) !== 'folder') return allowedPlaces(options);
  allowanceOf([store]);
  return [store, ...allowedPlaces(options)];
}
