/**
 * What sharing calls is worth on a device, and what it changes: images a minute with 1, 2, 4 and 8 images a call, and the PSNR of each image
 * to the same one alone. `npx tsx benchmarks/micro-batch.ts [--bundle pixart-icons …] [--size 256 …] [--device cpu] [--rounds 3] [--json]`
 */
import { parseArgs } from 'node:util';
import { nearestBin } from '../domain/bins.ts';
import { type Size, sizeSchema } from '../domain/size.ts';
import {
  type Bundle,
  bundleFolder,
  type Device,
  loadCaptionEncoder,
  openBundle,
  promptReader,
  type RenderRequest,
  type RequestCaptions,
  requestCaptions,
} from '../models/pixart/index.ts';
import { candidateBatches, measureBatches, startRenderer, usableCores } from '../models/renderer/index.ts';
import { PART_OPTIONS, say } from './bench/part.ts';
import { median } from './bench/report.ts';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    bundle: { type: 'string', multiple: true, default: ['pixart-icons', 'pixart-icons-4-steps'] },
    size: { type: 'string', multiple: true, default: ['256'] },
    device: { type: 'string', default: 'cpu' },
  },
});
const device = values.device as Device;
const pool = { device, children: 1, threads: device === 'cpu' ? usableCores() : undefined };

const PROMPTS = [
  'an apple',
  'a glossy fox on a teal background',
  'two flat keys',
  'a flat lighthouse on a purple background, with a moon',
  'a cup',
  'a glossy red mushroom',
  'a group of fish on a white background',
  'a kite',
];

type Row = {
  bundle: string;
  size: Size;
  images: number;
  /** The median of the rounds. */
  imagesPerMinute: number;
  /** The least of the images, in decibels; `null` where all are the same to the last bit. */
  psnr: number | null;
};

/** Images a minute by batch, in turn. */
async function rates(bundle: Bundle, size: Size, batches: readonly number[]): Promise<Map<number, number>> {
  const found = new Map(batches.map((images) => [images, [] as number[]]));
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const images of batches) {
      const { batches } = await measureBatches([images], { bundle, size, ...pool });
      found.get(images)!.push(batches[0]!.imagesPerMinute);
      say(`  ${images} a call: ${batches[0]!.imagesPerMinute.toFixed(1)} images a minute`);
    }
  return new Map([...found].map(([images, rounds]) => [images, median(rounds)]));
}

async function captionsOf(bundle: Bundle, requests: readonly RenderRequest[]): Promise<RequestCaptions[]> {
  const { read } = await promptReader(bundle);
  const encoder = await loadCaptionEncoder(bundle, { device });
  const captions: RequestCaptions[] = [];
  for (const request of requests)
    captions.push(await requestCaptions(request, (text) => encoder.encode(read(text).ids)));
  await encoder.dispose();
  return captions;
}

function psnr(a: Uint8Array, b: Uint8Array): number {
  const squares = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
  return 10 * Math.log10(255 ** 2 / (squares / a.length));
}

/** The least PSNR by batch, of images with all of the bundle's steps. */
async function likeness(bundle: Bundle, size: Size, batches: readonly number[]): Promise<Map<number, number>> {
  const bin = nearestBin(size, 1, 1);
  const { defaults } = bundle.description;
  const requests = PROMPTS.map((prompt, seed) => ({
    prompt,
    negativePrompt: '',
    size,
    bin,
    ...bin,
    seed,
    ...defaults,
  }));
  const captions = await captionsOf(bundle, requests);
  const microBatch = { images: Math.max(...batches), description: bundle.description };
  const renderer = await startRenderer({ bundleFolder: bundle.folder, ...pool, microBatch });
  const render = (i: number) => renderer.render(requests[i]!, captions[i]!);
  const alone: Uint8Array[] = [];
  for (let i = 0; i < Math.max(...batches); i += 1) alone.push((await render(i)).rgb);
  const found = new Map<number, number>();
  for (const images of batches) {
    const together = await Promise.all(Array.from({ length: images }, (_, i) => render(i)));
    found.set(images, Math.min(...together.map(({ rgb }, i) => psnr(rgb, alone[i]!))));
  }
  await renderer.close();
  return found;
}

const rows: Row[] = [];
for (const name of values.bundle)
  for (const size of values.size.map((text) => sizeSchema.parse(text))) {
    const bundle = await openBundle(await bundleFolder(name));
    const batches = candidateBatches(size, bundle, 8);
    say(`${name}, ${size} px on ${device}`);
    const perMinute = await rates(bundle, size, batches);
    const decibels = await likeness(bundle, size, batches);
    for (const images of batches) {
      const least = decibels.get(images)!;
      const found = { imagesPerMinute: perMinute.get(images)!, psnr: Number.isFinite(least) ? least : null };
      rows.push({ bundle: name, size, images, ...found });
    }
  }
if (values.json) console.log(JSON.stringify(rows));
else
  console.table(
    rows.map(({ imagesPerMinute, psnr, ...row }) => ({
      ...row,
      'images a minute': imagesPerMinute.toFixed(1),
      'least PSNR, dB': psnr === null ? 'same bits' : psnr.toFixed(1),
    })),
  );
