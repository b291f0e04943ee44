import { readFileSync } from 'node:fs';

/** What one part of a fleet may do: the places in the store by permission, and the calls in the namespace. */
export type Part = { who: string; bucket: Record<string, string[]>; namespace: string[] };

/** A permission on a bucket, and a place. `*` in a place stands for anything. */
export type Grant = { permission: string; place: string };

/** infra/iam/parts.json, the source of the roles, the commands and the tests. */
export const PARTS: Record<string, Part> = JSON.parse(
  readFileSync(new URL('../../../infra/iam/parts.json', import.meta.url), 'utf8'),
);

export const grantsOf = ({ bucket }: Part): Grant[] =>
  Object.entries(bucket).flatMap(([permission, places]) => places.map((place) => ({ permission, place })));

export const grantText = ({ permission, place }: Grant): string => `${permission} on ${place}`;

/** Whether an object's name is in a place. */
export function isIn(place: string, name: string): boolean {
  const parts = place.split('*').map((text) => text.replace(/[.]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}
