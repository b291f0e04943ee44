import { mersenneTwister } from '../../models/pixart/noise.ts';

/** Numbers that a seed decides. */
export type Random = {
  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number;
  /** One of the keys, as often as their weights say. */
  weighted<K extends string>(weights: Record<K, number>): K;
};

export function seededRandom(seed: number): Random {
  const next = mersenneTwister(seed);
  const between = (least: number, most: number): number => least + (next() % (most - least + 1));
  return {
    between,
    weighted<K extends string>(weights: Record<K, number>): K {
      const keys = Object.keys(weights) as K[];
      let rest = between(0, keys.reduce((sum, key) => sum + weights[key], 0) - 1);
      return keys.find((key) => {
        rest -= weights[key];
        return rest < 0;
      })!;
    },
  };
}
