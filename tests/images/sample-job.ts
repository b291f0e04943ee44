import type { Job } from '../../domain/job.ts';

export const bundle = { name: 'tiny-pixart', digest: 'b'.repeat(64) };

export const sampleJob: Job = {
  id: 'lantern',
  prompt: 'a red paper lantern',
  negativePrompt: 'blurry',
  size: '256',
  bin: { height: 40, width: 56 },
  width: 48,
  height: 32,
  seed: 4_294_967_295,
  steps: 20,
  guidance: 4.5,
  format: 'png',
  quality: null,
  priority: 3,
  renderKey: 'a'.repeat(64),
  line: 2,
  metadata: {},
};

/** A soft gradient with a hard edge. */
export function samplePixels(width: number, height: number) {
  const rgb = new Uint8Array(width * height * 3);
  for (let at = 0; at < rgb.length; at += 3) {
    const [x, y] = [(at / 3) % width, Math.floor(at / 3 / width)];
    rgb.set([(x * 255) / width, (y * 255) / height, x > width / 2 ? 200 : 40], at);
  }
  return { rgb, width, height };
}
