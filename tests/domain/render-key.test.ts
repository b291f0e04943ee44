import { describe, expect, it } from 'vitest';
import { digestOf } from '../../domain/digest.ts';
import type { Picture } from '../../domain/job.ts';
import { renderKey } from '../../domain/render-key.ts';

const picture: Picture = {
  prompt: 'a red apple',
  negativePrompt: 'blurry',
  size: '512',
  bin: { height: 384, width: 672 },
  width: 640,
  height: 360,
  seed: 7,
  steps: 20,
  guidance: 4.5,
  format: 'webp',
  quality: 80,
};
const digest = 'a'.repeat(64);
const key = renderKey(picture, digest, 1);

const changes: Partial<Picture>[] = [
  { prompt: 'a red apple.' },
  { negativePrompt: '' },
  { size: '256' },
  { bin: { height: 384, width: 640 } },
  { bin: { height: 672, width: 384 } },
  { width: 641 },
  { height: 361 },
  { seed: 8 },
  { steps: 21 },
  { guidance: 4.6 },
  { format: 'avif' },
  { quality: 81 },
];

describe('renderKey', () => {
  it('stays the same from release to release, because stores depend on it', () => {
    expect(key).toBe('da63c15837523c7e408e5aa71f3abfa8c9af0a2f4df08b5d89aa61b91ecfb4fe');
  });

  it('is the digest of its parts in sorted order, whatever the texts', () => {
    const others: Partial<Picture> = { quality: null, decode: 'whole', guidance: 1, seed: 0, negativePrompt: '' };
    for (const prompt of ['"quoted" \\ and\ttabbed', 'ein Bär 🐻', '\u2028\u0007', '']) {
      for (const made of [
        { ...picture, prompt },
        { ...picture, ...others, prompt },
      ]) {
        expect(renderKey(made, digest, 3)).toBe(digestOf({ ...made, bundle: digest, pipeline: 3 }));
      }
    }
  });

  it.each<[string, Picture, string, number]>([
    [
      '6a8fac7649023073c22513bd092278077424ff3d2a359351590de8795869fc4e',
      {
        ...{ prompt: '', negativePrompt: '', size: '256', bin: { height: 256, width: 256 }, width: 256, height: 256 },
        ...{ seed: 0, steps: 1, guidance: 1, format: 'png', quality: null },
      },
      'a'.repeat(64),
      1,
    ],
    [
      'cad181c7531935f06350cd919dff63224e1621a9e03431d962762ec3e19a927a',
      {
        ...{ prompt: 'ein „Füchslein“ 🦊\n<&>', negativePrompt: 'fog, "grain"', size: '4k' },
        ...{ bin: { height: 2160, width: 3840 }, width: 1920, height: 1080, seed: 4_294_967_295, steps: 50 },
        ...{ guidance: 7.25, format: 'jpeg', quality: 100 },
      },
      `${'c0ffee'.repeat(10)}abcd`,
      3,
    ],
    [
      '09df31e303c1d4c91cc66bb80bf5af5d547d0910dc943ed148dc526ffd03e5fc',
      {
        ...{ prompt: 'an owl', negativePrompt: '', size: '2k', bin: { height: 2048, width: 2048 } },
        ...{ width: 2048, height: 2048, seed: 2_246_822_519, steps: 4, guidance: 1, format: 'avif', quality: 1 },
      },
      '0'.repeat(64),
      2,
    ],
  ])('is %s as it was in version 0.1', (kept, other, bundle, version) => {
    expect(renderKey(other, bundle, version)).toBe(kept);
  });

  it.each(changes)('changes with %o', (change) => {
    expect(renderKey({ ...picture, ...change }, digest, 1)).not.toBe(key);
  });

  it('changes with the bundle and with the version of the pipeline', () => {
    expect(renderKey(picture, 'b'.repeat(64), 1)).not.toBe(key);
    expect(renderKey(picture, digest, 2)).not.toBe(key);
  });

  it('depends neither on the order of properties nor on other properties of a job', () => {
    const reversed = Object.fromEntries(Object.entries(picture).reverse()) as Picture;
    const job = { ...reversed, id: 'apple', priority: 1, line: 2, metadata: { team: 'shop' } };
    expect(renderKey(job, digest, 1)).toBe(key);
  });
});
