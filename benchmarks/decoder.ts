// Two VAE decoders in turn on one thread: processor seconds for an image, and their ratio.
// npx tsx benchmarks/decoder.ts [size …]                        the decoder shipped at eceba92 and the current one
// npx tsx benchmarks/decoder.ts old.onnx new.onnx [size …]      any two, such as those of two exports of a bundle

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from '../models/pixart/onnxruntime.ts';
import { PART_OPTIONS, say, tellLines } from './bench/part.ts';
import type { Line } from './bench/report.ts';
import { runInRendererEnvironment } from './renderer-environment.ts';

runInRendererEnvironment();

const BEFORE = 'eceba92:models/bundles/pixart-icons/vae_decoder.onnx';
const TODAY = path.join(import.meta.dirname, '../models/bundles/pixart-icons/vae_decoder.onnx');
const FACTOR = 8;

const floats = (shape: number[]): Tensor => {
  const count = shape.reduce((product, side) => product * side, 1);
  return new Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898)),
    shape,
  );
};

/** Latents of a square image and, if the graph has an input for statistics, a tensor that says none are given. */
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

/** One warm-up image with each, and then in turn. */
async function compare(files: [string, string], size: number, rounds: number): Promise<Line> {
  const options = {
    intraOpNumThreads: 1,
    graphOptimizationLevel: 'all' as const,
    enableMemPattern: false,
    logSeverityLevel: 3 as const,
  };
  const sessions = await Promise.all(files.map((file) => InferenceSession.create(file, options)));
  const runs: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const [i, session] of sessions.entries()) {
      const taken = await seconds(session, feedsOf(session, size));
      if (round > 0) runs[i as 0 | 1].push(taken);
    }
  }
  say(`  ${size} px: ${runs.map((each) => each.at(-1)!.toFixed(2)).join(' and ')} processor seconds`);
  return {
    what: `decoding an image of ${size} px, one thread`,
    unit: 'processor s',
    ours: runs[1],
    peer: { name: named[0] ?? 'eceba92', runs: runs[0] },
    goal: { ratio: 2 },
    note: 'both with pages of 2 MB',
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: PART_OPTIONS,
});
const named = positionals.filter((argument) => argument.endsWith('.onnx'));
const sizes = positionals.filter((argument) => !named.includes(argument)).map(Number);
if ((named.length !== 0 && named.length !== 2) || sizes.some((size) => !(size > 0 && size % FACTOR === 0))) {
  console.error('usage: npx tsx benchmarks/decoder.ts [old.onnx new.onnx] [size …] [--rounds 3] [--json]');
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'decoder-'));
try {
  const [old = path.join(folder, 'before.onnx'), today = TODAY] = named;
  if (named.length === 0) writeFileSync(old, execFileSync('git', ['show', BEFORE], { maxBuffer: 2 ** 26 }));
  const lines: Line[] = [];
  for (const size of sizes.length > 0 ? sizes : [256, 512, 1024])
    lines.push(await compare([old, today], size, Number(values.rounds)));
  tellLines(lines, values.json);
} finally {
  rmSync(folder, { recursive: true });
}
