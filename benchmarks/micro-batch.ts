/**
 * What sharing calls is worth on a device, and what it changes: images a minute and processor seconds with 1, 2, 4 and 8 images a call, and the
 * PSNR of each image to the same one alone. `npx tsx benchmarks/micro-batch.ts [--bundle pixart-icons …] [--size 256 …] [--device cpu] [--rounds 3] [--json]`
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
import { candidateBatches, startRenderer, usableCores } from '../models/renderer/index.ts';
import { PART_OPTIONS, say } from './bench/part.ts';
import { peakSignalToNoise } from './bench/pictures.ts';
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
  /** Medians of the rounds. */
  imagesPerMinute: number;
  processorSeconds: number;
  /** The least of all images, in decibels; infinite where all are the same to the last bit. */
  psnr: number;
};

async function captionsOf(bundle: Bundle, requests: readonly RenderRequest[]): Promise<RequestCaptions[]> {
  const { read } = await promptReader(bundle);
  const encoder = await loadCaptionEncoder(bundle, { device });
  const captions: RequestCaptions[] = [];
  for (const request of requests)
    captions.push(await requestCaptions(request, (text) => encoder.encode(read(text).ids)));
  await encoder.dispose();
  return captions;
}

/** Images with all of the bundle's steps, by batch in turn, each beside the same image alone. */
async function compare(bundle: Bundle, size: Size): Promise<Row[]> {
  const bin = nearestBin(size, 1, 1);
  const { name, defaults } = bundle.description;
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
  const batches = candidateBatches(size, bundle, PROMPTS.length);
  const microBatch = { images: Math.max(...batches), description: bundle.description };
  const renderer = await startRenderer({ bundleFolder: bundle.folder, ...pool, microBatch });
  const render = (i: number) => renderer.render(requests[i]!, captions[i]!);
  const alone: Uint8Array[] = [];
  for (let i = 0; i < microBatch.images; i += 1) alone.push((await render(i)).rgb);
  const runs = batches.map((images) => ({
    images,
    rates: [] as number[],
    seconds: [] as number[],
    psnrs: [] as number[],
  }));
  for (let round = 0; round < Number(values.rounds); round += 1)
    for (const { images, rates, seconds, psnrs } of runs) {
      const began = performance.now();
      const together = await Promise.all(Array.from({ length: images }, (_, i) => render(i)));
      rates.push((60_000 * images) / (performance.now() - began));
      // The last one to end was there all the time.
      seconds.push(Math.max(...together.map(({ processorMs }) => processorMs)) / images / 1_000);
      psnrs.push(...together.map(({ rgb }, i) => peakSignalToNoise(rgb, alone[i]!)));
      say(
        `  ${images} a call: ${rates.at(-1)!.toFixed(1)} images a minute, ${seconds.at(-1)!.toFixed(2)} processor seconds each`,
      );
    }
  await renderer.close();
  return runs.map(({ images, rates, seconds, psnrs }) => ({
    ...{ bundle: name, size, images },
    ...{ imagesPerMinute: median(rates), processorSeconds: median(seconds), psnr: Math.min(...psnrs) },
  }));
}

const rows: Row[] = [];
for (const name of values.bundle)
  for (const size of values.size) {
    say(`${name}, ${size} px on ${device}`);
    rows.push(...(await compare(await openBundle(await bundleFolder(name)), sizeSchema.parse(size))));
  }
if (values.json) console.log(JSON.stringify(rows));
else
  console.table(
    rows.map(({ imagesPerMinute, processorSeconds, psnr, ...row }) => ({
      ...row,
      'images a minute': imagesPerMinute.toFixed(1),
      'processor seconds': processorSeconds.toFixed(2),
      'least PSNR, dB': Number.isFinite(psnr) ? psnr.toFixed(1) : 'same bytes',
    })),
  );
