import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../domain/user-error.ts';
import { dpmSchedule, dpmSolver } from '../../../../models/pixart/samplers/dpm-solver.ts';
import type { DpmSolverConfig } from '../../../../models/pixart/samplers/scheduler-config.ts';

const reference: DpmSolverConfig = {
  trainSteps: 1000,
  betaSchedule: 'linear',
  betaStart: 0.0001,
  betaEnd: 0.02,
  prediction: 'epsilon',
  spacing: 'linspace',
  zeroTerminalSnr: false,
  order: 2,
};

const configs = fc.record<DpmSolverConfig>({
  trainSteps: fc.constant(1000),
  betaSchedule: fc.constantFrom('linear', 'scaled_linear'),
  betaStart: fc.constantFrom(0.0001, 0.00085),
  betaEnd: fc.constantFrom(0.012, 0.02),
  prediction: fc.constantFrom('epsilon', 'v_prediction'),
  spacing: fc.constantFrom('linspace', 'trailing'),
  zeroTerminalSnr: fc.boolean(),
  order: fc.constantFrom(1, 2),
});

const stepCounts = fc.integer({ min: 1, max: 200 });

describe('dpmSchedule', () => {
  test('has one timestep a step, each once, going down, and noise that falls to zero', () => {
    fc.assert(
      fc.property(configs, stepCounts, (config, steps) => {
        const { timesteps, sigmas } = dpmSchedule(config, steps);
        expect(timesteps).toHaveLength(steps);
        expect(sigmas).toHaveLength(steps + 1);
        expect(timesteps[0]).toBe(999);
        expect(timesteps.every((timestep, i) => i === 0 || timestep < timesteps[i - 1]!)).toBe(true);
        expect(sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1]!)).toBe(true);
        expect(sigmas.at(-1)).toBe(0);
      }),
    );
  });

  // From diffusers' DPMSolverMultistepScheduler. Ties go to even; whether the last of these are ties, numpy.arange decides.
  test.each<[string, Partial<DpmSolverConfig>, number, number[]]>([
    ['linspace, 6 steps', {}, 6, [999, 832, 666, 500, 333, 166]],
    ['linspace, 2 steps', {}, 2, [999, 500]],
    ['trailing, 8 steps', { spacing: 'trailing' }, 8, [999, 874, 749, 624, 499, 374, 249, 124]],
    ['the first four of trailing, 48 steps', { spacing: 'trailing' }, 48, [999, 978, 957, 936]],
  ])('rounds as the reference: %s', (_, change, steps, timesteps) => {
    const found = dpmSchedule({ ...reference, ...change }, steps).timesteps;
    expect(found.slice(0, timesteps.length)).toEqual(timesteps);
  });

  test('starts at the largest noise level where the terminal signal is rescaled to zero', () => {
    const { sigmas } = dpmSchedule({ ...reference, zeroTerminalSnr: true }, 10);
    expect(sigmas[0]).toBeCloseTo(4096, 2);
  });

  test.each([0, -1, 1000])('refuses %i steps', (steps) => {
    expect(() => dpmSchedule(reference, steps)).toThrow(UserError);
  });
});

describe('dpmSolver', () => {
  /** What a network would predict that knows the image. */
  function predictionFor(config: DpmSolverConfig, image: Float32Array, latents: Float32Array, sigma: number) {
    const alpha = 1 / Math.sqrt(sigma * sigma + 1);
    const noise = latents.map((latent, i) => (latent - alpha * image[i]!) / (sigma * alpha));
    if (config.prediction === 'epsilon') return noise;
    return noise.map((value, i) => alpha * value - sigma * alpha * image[i]!);
  }

  test('lands on the image that a perfect network sees, whatever the schedule', () => {
    const numbers = fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(configs, fc.integer({ min: 1, max: 40 }), numbers, numbers, (config, steps, picture, start) => {
        const image = Float32Array.from(picture);
        const { sigmas } = dpmSchedule(config, steps);
        // In float32, noise of sigma 4096 drowns the image: only velocity can carry it.
        fc.pre(config.prediction === 'v_prediction' || !config.zeroTerminalSnr);
        const sampler = dpmSolver(config, steps, () => Float32Array.from(start));
        for (const [step, sigma] of sigmas.slice(0, -1).entries()) {
          sampler.step(step, predictionFor(config, image, sampler.latents, sigma));
        }
        sampler.latents.forEach((latent, i) => {
          expect(latent).toBeCloseTo(image[i]!, 3);
        });
      }),
    );
  });

  // From diffusers' DPMSolverMultistepScheduler with solver_order=1.
  test('of first order it steps as the reference', () => {
    const config: DpmSolverConfig = {
      ...reference,
      ...{ betaSchedule: 'scaled_linear', betaStart: 0.00085, betaEnd: 0.012, zeroTerminalSnr: true },
      ...{ prediction: 'v_prediction', spacing: 'trailing', order: 1 },
    };
    const expected = [
      [0.937846, -0.400714],
      [0.723994, -0.31378],
      [0.347977, -0.327005],
      [-0.306606, -0.499711],
    ];
    const sampler = dpmSolver(config, 4, () => Float32Array.of(1, -0.5));
    for (const [i, values] of expected.entries()) {
      sampler.step(i, Float32Array.of(0.25 * (i + 1), -0.5 + 0.3 * i));
      for (const [k, value] of values.entries()) expect(sampler.latents[k]).toBeCloseTo(value, 4);
    }
  });

  test.each<[1 | 2, number, number]>([
    [1, 1.7, 2.3],
    [2, 3, 5],
  ])(
    'is of order %i: with twice the steps the error of a smooth problem falls by 2 to that power',
    (order, least, most) => {
      // One number drawn from a normal distribution of this spread: the exact flow scales it by the ratio of spreads.
      const spread = 0.5;
      const error = (steps: number): number => {
        // Half-way, at timestep 500 for every even number of steps: towards the end, steps in log-SNR never get small.
        const sigmas = dpmSchedule(reference, steps).sigmas.slice(0, steps / 2 + 1);
        const sampler = dpmSolver({ ...reference, order }, steps, () => Float32Array.of(1));
        for (const [step, sigma] of sigmas.slice(0, -1).entries()) {
          const alpha = 1 / Math.sqrt(sigma * sigma + 1);
          const variance = alpha * alpha * (spread * spread + sigma * sigma);
          sampler.step(step, Float32Array.of((sigma * alpha * sampler.latents[0]!) / variance));
        }
        const scale = (sigma: number): number => Math.sqrt((spread * spread + sigma * sigma) / (sigma * sigma + 1));
        return Math.abs(sampler.latents[0]! - scale(sigmas.at(-1)!) / scale(sigmas[0]!));
      };
      const ratio = error(40) / error(80);
      expect(ratio).toBeGreaterThan(least);
      expect(ratio).toBeLessThan(most);
    },
  );
});
