import { describe, expect, it } from 'vitest';
import { type Picture, renderKey } from '../../domain/render-key.ts';

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
  it('is kept from release to release, as stores are full of it', () => {
    expect(key).toBe('da63c15837523c7e408e5aa71f3abfa8c9af0a2f4df08b5d89aa61b91ecfb4fe');
  });

  it.each(changes)('changes with %o', (change) => {
    expect(renderKey({ ...picture, ...change }, digest, 1)).not.toBe(key);
  });

  it('changes with the bundle and with the version of the pipeline', () => {
    expect(renderKey(picture, 'b'.repeat(64), 1)).not.toBe(key);
    expect(renderKey(picture, digest, 2)).not.toBe(key);
  });

  it('looks neither at the order of properties nor at what else a job has', () => {
    const reversed = Object.fromEntries(Object.entries(picture).reverse()) as Picture;
    const job = { ...reversed, id: 'apple', priority: 1, line: 2, metadata: { team: 'shop' } };
    expect(renderKey(job, digest, 1)).toBe(key);
  });
});
