// What key/value compression saves at each size: one layer's self-attention, and a whole denoising step.
// models/python.sh -m export.compression_graphs <folder> && npx tsx benchmarks/kv-compression.ts <folder> [size …]

import { join } from 'node:path';
import { InferenceSession, Tensor } from '../models/pixart/onnxruntime.ts';

/** Latent rows and columns. */
const GRIDS: Record<string, [number, number]> = {
  '512': [64, 64],
  '1024': [128, 128],
  '2k': [256, 256],
  '4k': [270, 480],
};
const CHANNELS = 192;
const CAPTION_TOKENS = 24;
/** Guidance denoises with the prompt and the negative prompt at once. */
const BATCH = 2;
/** Shorter runs are repeated, and the fastest counts. */
const LONG_MS = 5_000;

type Feeds = Record<string, Tensor>;

const floats = (...shape: number[]): Tensor => {
  const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
  return new Tensor(
    'float32',
    values.map((_, i) => Math.sin(i * 12.9898)),
    shape,
  );
};

const attentionFeeds = ([height, width]: [number, number]): Feeds => ({
  tokens: floats(BATCH, CHANNELS, height / 2, width / 2),
});

const stepFeeds = ([height, width]: [number, number]): Feeds => ({
  latents: floats(BATCH, 4, height, width),
  timestep: new Tensor('float32', new Float32Array(BATCH).fill(500), [BATCH]),
  position_embedding: floats(1, (height / 2) * (width / 2), CHANNELS),
  caption: floats(BATCH, CAPTION_TOKENS, CHANNELS),
  caption_mask: new Tensor('int64', new BigInt64Array(BATCH * CAPTION_TOKENS).fill(1n), [BATCH, CAPTION_TOKENS]),
});

/** Milliseconds of one run: the fastest of three, or the first one if that takes long. */
async function milliseconds(file: string, feeds: Feeds): Promise<number> {
  const session = await InferenceSession.create(file);
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 3; run++) {
    const started = performance.now();
    await session.run(feeds);
    const took = performance.now() - started;
    fastest = Math.min(fastest, took);
    if (took > LONG_MS) break;
  }
  await session.release();
  return fastest;
}

const [folder, ...chosen] = process.argv.slice(2);
const sizes = chosen.length > 0 ? chosen : Object.keys(GRIDS);
if (folder === undefined || sizes.some((size) => !(size in GRIDS))) {
  console.error('usage: npx tsx benchmarks/kv-compression.ts <folder of export.compression_graphs> [512|1024|2k|4k …]');
  process.exit(2);
}
console.log('| size | part | whole, ms | compressed, ms | whole / compressed |');
console.log('| --- | --- | --- | --- | --- |');
for (const size of sizes) {
  for (const [part, feeds] of [
    ['attention', attentionFeeds(GRIDS[size]!)],
    ['step', stepFeeds(GRIDS[size]!)],
  ] as const) {
    const whole = await milliseconds(join(folder, `${part}-whole.onnx`), feeds);
    const compressed = await milliseconds(join(folder, `${part}-compressed.onnx`), feeds);
    const ratio = (whole / compressed).toFixed(2);
    console.log(`| ${size} | ${part} | ${whole.toFixed(0)} | ${compressed.toFixed(0)} | ${ratio} |`);
  }
}
