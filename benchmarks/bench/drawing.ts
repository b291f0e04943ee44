import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { nearestBin } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import { type Device, loadPipeline, openBundle, type PaintedImage, type Pipeline } from '../../models/pixart/index.ts';
import { ROOT } from './real-bundle.ts';

const OBJECTS = path.join(ROOT, 'models/training/objects.json');
const STYLES = ['a flat', 'a glossy'];
const GROUNDS = ['a white', 'a navy', 'a teal', 'an orange', 'a purple', 'a sunset gradient', 'a black'];

/** Every second object that the shipped model knows, alone; styles and backgrounds alternate. */
export async function somePrompts(count: number): Promise<string[]> {
  const objects = Object.keys(JSON.parse(await readFile(OBJECTS, 'utf8')));
  return Array.from({ length: count }, (_, index) => {
    const object = objects[(2 * index) % objects.length];
    return `${STYLES[index % STYLES.length]} ${object} on ${GROUNDS[index % GROUNDS.length]} background`;
  });
}

/** A bundle's networks with one thread each. */
export const load = async (folder: string, device: Device): Promise<Pipeline> =>
  loadPipeline(await openBundle(folder), { device, threads: 1 });

/** A square image with the bundle's defaults, and the processor seconds that it took. */
export async function draw(
  pipeline: Pipeline,
  size: Size,
  prompt: string,
  seed: number,
): Promise<{ image: PaintedImage; seconds: number }> {
  const bin = nearestBin(size, 1, 1);
  const { defaults } = pipeline.bundle.description;
  const before = process.cpuUsage();
  const image = await pipeline.render({ prompt, negativePrompt: '', size, ...bin, bin, seed, ...defaults });
  const { user, system } = process.cpuUsage(before);
  return { image, seconds: (user + system) / 1e6 };
}
