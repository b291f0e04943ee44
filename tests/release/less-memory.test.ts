import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Thrift } from '../../domain/thrift.ts';
import { openBundle, type RenderRequest } from '../../models/pixart/index.ts';
import { RendererDied, startRenderer, TooLittleMemory, withLessMemory } from '../../models/renderer/index.ts';

// Each starts several processes, whose pictures have 512 px.
vi.setConfig({ testTimeout: 1_800_000 });

const BUNDLE = fileURLToPath(new URL('../../models/bundles/pixart-icons-4-steps', import.meta.url));
const MiB = 2 ** 20;

/** Of a byte's steps: what tiles of shared statistics may change (docs/decisions/103). */
const MEAN_BOUND = 3;

const request: RenderRequest = {
  ...{ prompt: '', negativePrompt: '', size: '512', seed: 7, steps: 1, guidance: 4.5 },
  ...{ bin: { height: 512, width: 512 }, height: 512, width: 512 },
};

const captions = () => {
  const caption = () => ({ states: new Float32Array(8 * 192).fill(0.1), tokens: 8 });
  return { prompt: caption(), negative: caption() };
};

/** A renderer whose processes may each have so much more data than they have once they are loaded: the kernel's own limit. */
async function limited(extra: number) {
  const rungs: Thrift[] = [];
  const pids: number[] = [];
  const bundle = await openBundle(BUNDLE);
  const renderer = await startRenderer({
    bundleFolder: BUNDLE,
    device: 'cpu',
    threads: 1,
    onStart: ({ pid }) => {
      pids.push(pid);
      limitData(pid, extra);
    },
  });
  onTestFinished(() => renderer.close());
  return { rungs, pids, renderer: withLessMemory(renderer, bundle.description, (rung) => rungs.push(rung)) };
}

function limitData(pid: number, extra: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const now = 1024 * Number(/^VmData:\s+(\d+) kB$/m.exec(status)![1]);
  execFileSync('prlimit', [`--pid=${pid}`, `--data=${Math.round(now + extra)}`]);
}

const picture = async (extra: number) => {
  const { renderer, rungs, pids } = await limited(extra);
  const image = await renderer.render(request, captions());
  return { image, rungs, pids, renderer };
};

/**
 * With little memory. Whether ONNX Runtime or Node's own heap finds none first is a matter of some pages; Node then
 * ends its process.
 */
async function shortPicture() {
  for (const extra of [130, 134, 138, 142]) {
    try {
      return await picture(extra * MiB);
    } catch (error) {
      if (!(error instanceof RendererDied)) throw error;
    }
  }
  throw new Error('Node found no memory before ONNX Runtime did, each time');
}

test('a picture for which memory runs out is made in smaller tiles, says so, and looks the same but for a little', async () => {
  const usual = await picture(4_000 * MiB);
  expect(usual.image.thrift).toBeUndefined();
  const short = await shortPicture();
  expect(short.image.thrift?.tileLatents).toBeDefined();
  expect(short.rungs.at(-1)).toEqual(short.image.thrift);
  const differences = usual.image.rgb.map((value, i) => Math.abs(value - short.image.rgb[i]!));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  console.info(`mean difference ${mean.toFixed(3)} of 255, ${JSON.stringify(short.image.thrift)}`);
  expect(mean).toBeLessThan(MEAN_BOUND);

  const before = short.pids.length;
  const again = await short.renderer.render(request, captions());
  expect(again.thrift).toEqual(short.image.thrift);
  expect(short.pids).toHaveLength(before);
});

test('a picture for which no rung has room fails as one that has too little memory, or with the process that had none', async () => {
  const { renderer } = await limited(10 * MiB);
  const error = await renderer.render(request, captions()).catch((reason: unknown) => reason);
  expect(
    [TooLittleMemory, RendererDied].some((kind) => error instanceof kind),
    String(error),
  ).toBe(true);
});
