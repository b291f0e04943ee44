import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import {
  decodeCheckpoint,
  encodeCheckpoint,
  loadPipeline,
  openBundle,
  type Pipeline,
  type RenderRequest,
  type SamplerState,
} from '../../../models/pixart/index.ts';
import { GOLDEN } from './golden-case.ts';

const request: RenderRequest = {
  prompt: 'A red fox asleep under a birch tree',
  negativePrompt: 'blurry',
  size: '256',
  bin: { height: 64, width: 96 },
  width: 96,
  height: 64,
  seed: 1,
  steps: 6,
  guidance: 4.5,
};

const owner = { renderKey: 'a'.repeat(64), bundleDigest: 'b'.repeat(64), steps: request.steps };

const SHIPPED = fileURLToPath(new URL('../../../models/bundles/pixart-icons', import.meta.url));
const tiny = (name: string): string => path.join(GOLDEN, 'bundles', name);

async function load(folder: string): Promise<Pipeline> {
  const pipeline = await loadPipeline(await openBundle(folder), { device: 'cpu', threads: 1 });
  onTestFinished(() => pipeline.dispose());
  return pipeline;
}

/** The image, and the state after each step, as it would come back from the store. */
async function renderKeepingAll(pipeline: Pipeline, steps = request.steps) {
  const states: SamplerState[] = [];
  const { rgb } = await pipeline.render(
    { ...request, steps },
    {
      keeping: {
        everyMs: 0,
        async keep(state) {
          states.push(throughBytes({ ...owner, steps }, state));
        },
      },
    },
  );
  return { rgb, states };
}

function throughBytes(of: typeof owner, state: SamplerState): SamplerState {
  const found = decodeCheckpoint(of, encodeCheckpoint(of, state));
  if (typeof found === 'string') throw new Error(found);
  return found;
}

test.each(['tiny-epsilon', 'tiny-velocity', 'tiny-euler', 'tiny-lcm'])(
  '%s: from whichever step a run goes on, its image is the uninterrupted one, bit for bit',
  async (name) => {
    const pipeline = await load(tiny(name));
    const { rgb, states } = await renderKeepingAll(pipeline);
    expect(states.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const resume of states) {
      const steps: number[] = [];
      const again = await pipeline.render(request, { resume, onStep: (step) => steps.push(step) });
      expect(steps).toEqual([1, 2, 3, 4, 5, 6].slice(resume.step));
      expect(Buffer.compare(again.rgb, rgb)).toBe(0);
    }
  },
);

test('the shipped bundle, loaded again, goes on to the uninterrupted image, bit for bit', async () => {
  const first = await renderKeepingAll(await load(SHIPPED), 3);
  const second = await load(SHIPPED);
  const { rgb } = await second.render({ ...request, steps: 3 }, { resume: first.states[1] });
  expect(Buffer.compare(rgb, first.rgb)).toBe(0);
});

test('a run that is aborted gives the state that it stops in, and one that has done nothing gives none', async () => {
  const pipeline = await load(tiny('tiny-epsilon'));
  const { states } = await renderKeepingAll(pipeline);
  const stop = new AbortController();
  const kept: SamplerState[] = [];
  const keeping = { everyMs: Number.POSITIVE_INFINITY, keep: async (state: SamplerState) => void kept.push(state) };
  const rendering = pipeline.render(request, {
    signal: stop.signal,
    keeping,
    onStep: (step) => {
      if (step === 3) setImmediate(() => stop.abort(new Error('told to stop')));
    },
  });
  await expect(rendering).rejects.toThrow('told to stop');
  expect(kept).toEqual([states[2]]);

  const signal = AbortSignal.abort(new Error('too early'));
  await turn();
  await expect(pipeline.render(request, { signal, keeping, resume: states[2] })).rejects.toThrow('too early');
  expect(kept).toHaveLength(1);
});

test('a run that is shorter than the interval gives no state', async () => {
  const pipeline = await load(tiny('tiny-epsilon'));
  const kept: SamplerState[] = [];
  await pipeline.render(request, { keeping: { everyMs: 60_000, keep: async (state) => void kept.push(state) } });
  expect(kept).toEqual([]);
});

test.each<[string, (state: SamplerState) => SamplerState]>([
  ['of another shape', (state) => ({ ...state, arrays: state.arrays.map((array) => array.subarray(1)) })],
  ['of another sampler', (state) => ({ ...state, arrays: state.arrays.slice(1) })],
  ['beyond the last step', (state) => ({ ...state, step: 7 })],
])('a state %s is left aside: the image begins with noise', async (_, altered) => {
  const pipeline = await load(tiny('tiny-epsilon'));
  const { rgb, states } = await renderKeepingAll(pipeline);
  const steps: number[] = [];
  const again = await pipeline.render(request, { resume: altered(states[2]!), onStep: (step) => steps.push(step) });
  expect(steps[0]).toBe(1);
  expect(Buffer.compare(again.rgb, rgb)).toBe(0);
});
