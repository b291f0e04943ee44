import { dpmSolver } from './dpm-solver.ts';
import { euler } from './euler.ts';
import { lcm } from './lcm.ts';
import type { DrawNoise, Sampler } from './sampler.ts';
import type { SchedulerConfig } from './scheduler-config.ts';

/**
 * The sampler that a bundle asks for, at the beginning of a run.
 *
 * @throws UserError for a number of steps that it cannot take.
 */
export function createSampler(config: SchedulerConfig, steps: number, drawNoise: DrawNoise): Sampler {
  switch (config.kind) {
    case 'euler':
      return euler(config, steps, drawNoise);
    case 'lcm':
      return lcm(config, steps, drawNoise);
    default:
      return dpmSolver(config, steps, drawNoise);
  }
}
