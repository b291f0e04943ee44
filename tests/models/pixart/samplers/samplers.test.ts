import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../domain/user-error.ts';
import { normalStream } from '../../../../models/pixart/noise.ts';
import { createSampler } from '../../../../models/pixart/samplers/create-sampler.ts';
import type { Sampler, SamplerState } from '../../../../models/pixart/samplers/sampler.ts';
import type { SchedulerConfig } from '../../../../models/pixart/samplers/scheduler-config.ts';
import { GOLDEN, relativeError } from '../golden-case.ts';

type Step = { timestep: number; input: number[]; prediction: number[]; latents: number[] };
type Run = { scheduler: SchedulerConfig; seed: number; steps: Step[] };

const RELATIVE = 1e-4;
const runs: Run[] = JSON.parse(readFileSync(path.join(GOLDEN, 'stages/samplers.json'), 'utf8'));

function begin({ scheduler, seed, steps }: Run): Sampler {
  const draw = normalStream(seed);
  return createSampler(scheduler, steps.length, () => draw(steps[0]!.latents.length));
}

/** The latents at the end of a run, and the state after each of its steps. */
function finish(sampler: Sampler, { steps }: Run, done = 0): { latents: Float32Array; states: SamplerState[] } {
  const states: SamplerState[] = [];
  for (const [step, { prediction }] of steps.entries()) {
    if (step < done) continue;
    sampler.step(step, Float32Array.from(prediction));
    states.push({ step: step + 1, arrays: sampler.save() });
  }
  return { latents: sampler.latents, states };
}

const nameOf = ({ scheduler, steps }: Run): string =>
  `${scheduler.kind}, ${scheduler.prediction}, ${steps.length} steps of ${steps[0]!.latents.length} latents`;

describe.each(runs.map((run) => ({ name: nameOf(run), run })))('$name', ({ run }) => {
  test('what the transformer is shown, and the latents after each step, equal the reference, fresh noise included', () => {
    const sampler = begin(run);
    expect(sampler.timesteps).toEqual(run.steps.map(({ timestep }) => timestep));
    for (const [step, { input, prediction, latents }] of run.steps.entries()) {
      expect(relativeError(sampler.modelInput(step), Float32Array.from(input))).toBeLessThanOrEqual(RELATIVE);
      sampler.step(step, Float32Array.from(prediction));
      expect(relativeError(sampler.latents, Float32Array.from(latents))).toBeLessThanOrEqual(RELATIVE);
    }
  });

  test('from whichever step it goes on, it ends in the same latents, bit for bit', () => {
    const whole = finish(begin(run), run);
    for (const state of whole.states) {
      const resumed = begin(run);
      expect(resumed.restore(state)).toBe(true);
      expect(finish(resumed, run, state.step).latents).toEqual(whole.latents);
    }
  });

  test('a state that cannot be its own changes nothing', () => {
    const whole = finish(begin(run), run);
    const { step, arrays } = whole.states[0]!;
    const sampler = begin(run);
    expect(sampler.restore({ step: run.steps.length + 1, arrays })).toBe(false);
    expect(sampler.restore({ step, arrays: [...arrays, ...arrays] })).toBe(false);
    expect(sampler.restore({ step, arrays: arrays.map((array) => array.subarray(1)) })).toBe(false);
    expect(finish(sampler, run).latents).toEqual(whole.latents);
  });
});

const betas = { trainSteps: 1000, betaSchedule: 'linear', betaStart: 0.0001, betaEnd: 0.02 } as const;

test.each<[number, SchedulerConfig]>([
  [1000, { kind: 'euler', ...betas, prediction: 'epsilon', spacing: 'linspace', zeroTerminalSnr: false }],
  [50, { kind: 'lcm', ...betas, prediction: 'epsilon', originalSteps: 50, timestepScaling: 10 }],
])('at most %i steps are taken by $kind', (most, scheduler) => {
  const noise = () => Float32Array.of(1);
  expect(createSampler(scheduler, most, noise).timesteps).toHaveLength(most);
  for (const steps of [0, most + 1]) expect(() => createSampler(scheduler, steps, noise)).toThrow(UserError);
});
