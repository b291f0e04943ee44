// Two VAE decoders in turn on one thread: processor seconds of a picture, and their ratio.
// npx tsx benchmarks/decoder.ts [size …]                        the decoder shipped at eceba92, and today's
// npx tsx benchmarks/decoder.ts old.onnx new.onnx [size …]      any two, e.g. of a bundle exported before and after

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from '../models/pixart/onnxruntime.ts';

const BEFORE = 'eceba92:models/bundles/pixart-icons/vae_decoder.onnx';
const TODAY = path.join(import.meta.dirname, '../models/bundles/pixart-icons/vae_decoder.onnx');
const FACTOR = 8;
/** The machine may be shared, which only ever makes a run slower: the fastest counts. */
const RUNS = 5;

const floats = (shape: number[]): Tensor => {
  const count = shape.reduce((product, side) => product * side, 1);
  return new Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898)),
    shape,
  );
};

/** Latents of a square picture and, where the graph takes statistics, none given. */
function feedsOf(session: InferenceSession, size: number): Record<string, Tensor> {
  const side = size / FACTOR;
  const feeds: Record<string, Tensor> = { latents: floats([1, 4, side, side]) };
  for (const input of session.inputMetadata) {
    if (input.name === 'is_given') feeds[input.name] = new Tensor('bool', [false], [1]);
    if (input.name === 'given_statistics' && input.isTensor) {
      feeds[input.name] = floats([1, ...input.shape.slice(1).map(Number)]);
    }
  }
  return feeds;
}

async function seconds(session: InferenceSession, feeds: Record<string, Tensor>): Promise<number> {
  const before = process.cpuUsage();
  await session.run(feeds, ['image']);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

async function compare(files: [string, string], sizes: number[]): Promise<void> {
  const options = { intraOpNumThreads: 1, graphOptimizationLevel: 'all' as const, logSeverityLevel: 3 as const };
  const [old, today] = await Promise.all(files.map((file) => InferenceSession.create(file, options)));
  console.log('| size | before, CPU s | now, CPU s | ratio |\n| --- | --- | --- | --- |');
  for (const size of sizes) {
    const fastest: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let run = 0; run < RUNS; run++) {
      for (const [i, session] of [old!, today!].entries()) {
        fastest[i] = Math.min(fastest[i]!, await seconds(session, feedsOf(session, size)));
      }
    }
    const [before, now] = fastest;
    console.log(`| ${size} | ${before.toFixed(3)} | ${now.toFixed(3)} | ${(before / now).toFixed(2)} |`);
  }
}

const given = process.argv.slice(2);
const named = given.filter((argument) => argument.endsWith('.onnx'));
const sizes = given.filter((argument) => !named.includes(argument)).map(Number);
if ((named.length !== 0 && named.length !== 2) || sizes.some((size) => !(size > 0 && size % FACTOR === 0))) {
  console.error('usage: npx tsx benchmarks/decoder.ts [old.onnx new.onnx] [size …]');
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'decoder-'));
try {
  const [old = path.join(folder, 'before.onnx'), today = TODAY] = named;
  if (named.length === 0) writeFileSync(old, execFileSync('git', ['show', BEFORE], { maxBuffer: 2 ** 26 }));
  await compare([old, today], sizes.length > 0 ? sizes : [256, 512, 1024]);
} finally {
  rmSync(folder, { recursive: true });
}
