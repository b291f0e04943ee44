/**
 * What dividing a processor among renderer processes is worth: the same images by one process with all cores, by one for each core and
 * by what a worker would measure and choose, in turn. `npx tsx benchmarks/children.ts [--bundle pixart-icons …] [--size 256 …] [--rounds 3]
 * [--seconds 10]`
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { nearestBin } from '../domain/bins.ts';
import { type Size, sizeSchema } from '../domain/size.ts';
import {
  type Bundle,
  bundleFolder,
  loadCaptionEncoder,
  openBundle,
  promptReader,
  type RequestCaptions,
  requestCaptions,
} from '../models/pixart/index.ts';
import {
  candidateShapes,
  chosenShape,
  measureShapes,
  type PoolShape,
  type Renderer,
  shapeText,
  startRenderer,
  usableCores,
} from '../models/renderer/index.ts';

const { values } = parseArgs({
  options: {
    bundle: { type: 'string', multiple: true, default: ['pixart-icons', 'pixart-icons-4-steps'] },
    size: { type: 'string', multiple: true, default: ['256', '512'] },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
  },
});

type Round = { imagesPerMinute: number; processorSeconds: number };

const TEXTS = { prompt: 'a flat fox on a teal background', negativePrompt: '' };

async function captionsOf(bundle: Bundle): Promise<RequestCaptions> {
  const { read } = await promptReader(bundle);
  const encoder = await loadCaptionEncoder(bundle, { device: 'cpu' });
  const request = { ...TEXTS, guidance: bundle.description.defaults.guidance };
  const captions = await requestCaptions(request, (text) => encoder.encode(read(text).ids));
  await encoder.dispose();
  return captions;
}

/** Keeps every child busy for so long, and until its last image is there. */
async function round(renderer: Renderer, size: Size, captions: RequestCaptions): Promise<Round> {
  const bin = nearestBin(size, 1, 1);
  const { defaults } = renderer.bundle;
  const started = performance.now();
  let [images, processorMs, ended] = [0, 0, 0];
  const child = async (): Promise<void> => {
    do {
      const image = await renderer.render({ ...TEXTS, size, bin, ...bin, seed: images, ...defaults }, captions);
      images += 1;
      processorMs += image.processorMs;
    } while (performance.now() - started < Number(values.seconds) * 1_000);
    ended += performance.now() - started;
  };
  await Promise.all(Array.from({ length: renderer.children }, child));
  // Children end at different times: each has its own minute.
  return {
    imagesPerMinute: (60_000 * images * renderer.children) / ended,
    processorSeconds: processorMs / images / 1_000,
  };
}

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

async function compare(name: string, size: Size): Promise<void> {
  const bundle = await openBundle(await bundleFolder(name));
  const captions = await captionsOf(bundle);
  const shapes = candidateShapes(usableCores(), usableCores());
  const chosen = chosenShape((await measureShapes(shapes, { bundle, size })).shapes) ?? shapes[0]!;
  const compared = shapes.filter((shape) => [shapes[0], shapes.at(-1)].includes(shape) || isSame(shape, chosen));
  const entries = await Promise.all(
    compared.map(async (shape) => ({
      shape,
      renderer: await startRenderer({ bundleFolder: bundle.folder, device: 'cpu', ...shape }),
      rounds: [] as Round[],
    })),
  );
  for (let turn = 0; turn < Number(values.rounds); turn += 1)
    for (const { renderer, rounds } of entries) rounds.push(await round(renderer, size, captions));
  const ofFirst = median(entries[0]!.rounds.map(({ imagesPerMinute }) => imagesPerMinute));
  for (const { shape, renderer, rounds } of entries) {
    const rate = median(rounds.map(({ imagesPerMinute }) => imagesPerMinute));
    const processor = median(rounds.map(({ processorSeconds }) => processorSeconds));
    const isChosen = isSame(shape, chosen) ? ' (chosen)' : '';
    console.log(
      `| ${name} | ${size} | ${shapeText(shape)}${isChosen} | ${rate.toFixed(1)} | ${processor.toFixed(2)} | ${(rate / ofFirst).toFixed(2)} |`,
    );
    await renderer.close();
  }
}

const isSame = (a: PoolShape, b: PoolShape): boolean => a.children === b.children && a.threads === b.threads;

console.log(`${cpus()[0]?.model}, ${usableCores()} cores; medians of ${values.rounds} rounds of ${values.seconds} s\n`);
console.log('| bundle | size | children × threads | images a minute | processor s an image | ratio |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const name of values.bundle) for (const size of values.size) await compare(name, sizeSchema.parse(size));
