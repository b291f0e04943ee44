import { z } from 'zod';

const trainingSchedule = {
  trainSteps: z.int().min(2),
  betaSchedule: z.enum(['linear', 'scaled_linear']),
  betaStart: z.number().positive().lt(1),
  betaEnd: z.number().positive().lt(1),
  prediction: z.enum(['epsilon', 'v_prediction']),
};

const spacing = z.enum(['linspace', 'trailing']);

const dpmSolverSchema = z.strictObject({
  /** Left out by bundles that were exported when there was no other. */
  kind: z.literal('dpm-solver++').optional(),
  ...trainingSchedule,
  spacing,
  zeroTerminalSnr: z.boolean(),
  /** Second where a bundle does not say: those that were exported before it could. */
  order: z.union([z.literal(1), z.literal(2)]).default(2),
});

const eulerSchema = z.strictObject({
  kind: z.literal('euler'),
  ...trainingSchedule,
  spacing,
  zeroTerminalSnr: z.boolean(),
});

const lcmSchema = z
  .strictObject({
    kind: z.literal('lcm'),
    ...trainingSchedule,
    /** Steps of the sampler that the model was distilled from; its own steps are some of them. */
    originalSteps: z.int().positive(),
    timestepScaling: z.number().positive(),
  })
  .refine(({ originalSteps, trainSteps }) => originalSteps <= trainSteps, {
    path: ['originalSteps'],
    error: 'at most trainSteps',
  });

const KINDS = 'dpm-solver++, euler, lcm or no kind';

/** What a bundle says of its sampler. */
export const schedulerSchema = z.discriminatedUnion('kind', [dpmSolverSchema, eulerSchema, lcmSchema], {
  error: ({ code, input }) =>
    code === 'invalid_union'
      ? `expected ${KINDS}, found ${JSON.stringify((input as { kind: unknown }).kind)}: update pixart-batch, or export the checkpoint with one of these (docs/exporting.md)`
      : undefined,
});

export type DpmSolverConfig = z.infer<typeof dpmSolverSchema>;
export type EulerConfig = z.infer<typeof eulerSchema>;
export type LcmConfig = z.infer<typeof lcmSchema>;
export type SchedulerConfig = z.infer<typeof schedulerSchema>;

/** As bundles and messages call it. */
export const samplerName = ({ kind }: SchedulerConfig): string => kind ?? 'dpm-solver++';

/** The largest number of steps that a run may have. */
export function mostSteps(config: SchedulerConfig): number {
  switch (config.kind) {
    case 'euler':
      return config.trainSteps;
    case 'lcm':
      return config.originalSteps;
    default:
      // Timestep zero is none of its steps.
      return config.trainSteps - 1;
  }
}
