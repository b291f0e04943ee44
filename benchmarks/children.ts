/**
 * What it gains to divide a processor among renderer processes: renders the same images with one process on all cores,
 * with one for each core, and with the shape that a worker would measure and choose, in turn. `npx tsx
 * benchmarks/children.ts [--bundle pixart-icons …] [--size 256 …] [--rounds 3] [--seconds 10] [--json]`
 */
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
import { PART_OPTIONS, say, tellLines } from './bench/part.ts';
import { type Line, median } from './bench/report.ts';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    bundle: { type: 'string', multiple: true, default: ['pixart-icons', 'pixart-icons-4-steps'] },
    size: { type: 'string', multiple: true, default: ['256', '512'] },
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

/** Keeps every child busy for that many seconds, and until its last image is done. */
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
  // Children finish at different times: the rate is over the mean of these.
  return {
    imagesPerMinute: (60_000 * images * renderer.children) / ended,
    processorSeconds: processorMs / images / 1_000,
  };
}

/** The chosen shape and, if different, one process for each core, beside one process with all cores. */
async function compare(name: string, size: Size): Promise<Line[]> {
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
    for (const { renderer, rounds, shape } of entries) {
      rounds.push(await round(renderer, size, captions));
      say(`  ${name}, ${size} px, ${shapeText(shape)}: ${rounds.at(-1)!.imagesPerMinute.toFixed(1)} images a minute`);
    }
  await Promise.all(entries.map(({ renderer }) => renderer.close()));
  const [first, ...others] = entries;
  const perMinute = (rounds: Round[]): number[] => rounds.map(({ imagesPerMinute }) => imagesPerMinute);
  const processor = (rounds: Round[]): string =>
    median(rounds.map(({ processorSeconds }) => processorSeconds)).toFixed(2);
  return others.map(({ shape, rounds }) => ({
    what: `${name}, ${size} px, ${shapeText(shape)}${isSame(shape, chosen) ? ' (chosen by a worker)' : ''}`,
    unit: 'images/min',
    ours: perMinute(rounds),
    peer: { name: shapeText(first!.shape), runs: perMinute(first!.rounds) },
    moreIsBetter: true,
    note: `processor seconds an image: ${processor(rounds)}, peer ${processor(first!.rounds)}; cores: ${usableCores()}`,
  }));
}

const isSame = (a: PoolShape, b: PoolShape): boolean => a.children === b.children && a.threads === b.threads;

const lines: Line[] = [];
for (const name of values.bundle)
  for (const size of values.size) lines.push(...(await compare(name, sizeSchema.parse(size))));
tellLines(lines, values.json);
