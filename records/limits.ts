import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, readIfThere, shownPlace } from '../store/index.ts';
import { parseRecord } from './damaged.ts';
import { LIMITS_NAME } from './layout.ts';
import type { AlikePictures } from './planned-pictures.ts';

/** Strict, because a misspelt limit would be no limit. */
const limitsSchema = z
  .strictObject({
    imagesPerDay: z.int().nonnegative().optional(),
    megapixelsPerDay: z.number().nonnegative().optional(),
  })
  .refine((limits) => Object.keys(limits).length > 0, 'expected imagesPerDay, megapixelsPerDay or both');

/** What may be rendered into a store per day, from midnight to midnight UTC. */
export type Limits = z.infer<typeof limitsSchema>;

/** Images that were, or would be, rendered. */
export type Amount = { images: number; pixels: number };

export const NOTHING: Amount = { images: 0, pixels: 0 };

export const sumOf = (one: Amount, other: Amount): Amount => ({
  images: one.images + other.images,
  pixels: one.pixels + other.pixels,
});

export const amountOf = (pictures: readonly AlikePictures[]): Amount => ({
  images: pictures.reduce((sum, { images }) => sum + images, 0),
  pixels: pictures.reduce((sum, { images, pixels }) => sum + images * pixels, 0),
});

/** A batch would exceed what its store's limits leave for the day, or its own limit. */
export class LimitReached extends UserError {}

/** `null` if the store has no limits. @throws DamagedRecord if the file is invalid: unreadable limits do not mean no limits */
export async function readLimits(store: ObjectStore): Promise<Limits | null> {
  const bytes = await readIfThere(store, LIMITS_NAME);
  if (bytes === null) return null;
  return parseRecord(bytes, limitsSchema, {
    store: store.url,
    name: LIMITS_NAME,
    holds: 'limits such as {"imagesPerDay": 2000, "megapixelsPerDay": 2500}',
    remedy: 'Have its owner fix it: no batch starts until then.',
  });
}

/** One limit, and how much of it the day has used. */
export type LimitUse = { unit: 'images' | 'megapixels'; limit: number; used: number; left: number };

const MEGAPIXEL = 1_000_000;

export const limitUses = ({ imagesPerDay, megapixelsPerDay }: Limits, used: Amount): LimitUse[] => [
  ...useOf('images', imagesPerDay, used.images),
  ...useOf('megapixels', megapixelsPerDay, used.pixels / MEGAPIXEL),
];

const useOf = (unit: LimitUse['unit'], limit: number | undefined, used: number): LimitUse[] =>
  limit === undefined ? [] : [{ unit, limit, used, left: Math.max(0, limit - used) }];

/** @throws LimitReached */
export function checkLimits({ url }: ObjectStore, limits: Limits, day: string, used: Amount, asked: Amount): void {
  const wanted = { images: asked.images, megapixels: asked.pixels / MEGAPIXEL };
  const reached = limitUses(limits, used).filter(({ unit, left }) => wanted[unit] > left);
  if (reached.length === 0) return;
  const each = reached.map(
    ({ unit, limit, used }) =>
      `expected at most ${inWords(limit)} ${unit} a day, found ${inWords(used)} used on ${day} (UTC) and ${inWords(wanted[unit])} requested`,
  );
  throw new LimitReached(
    `limit of ${shownPlace(url)}: ${each.join('; ')}. Nothing is rendered. Request less, try again after ${resetOf(day).toISOString()}, or ask ` +
      `the owner of ${LIMITS_NAME} there`,
  );
}

const inWords = (number: number): string => number.toLocaleString('en', { maximumFractionDigits: 2 });

export const dayOf = (time: Date): string => time.toISOString().slice(0, 10);

/** When a day's usage no longer counts. */
export const resetOf = (day: string): Date => new Date(Date.parse(day) + 86_400_000);
