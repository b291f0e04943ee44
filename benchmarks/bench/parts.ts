/** A measurement that runs in its own process. */
export type Part = {
  name: string;
  what: string;
  /** With `--rounds 3`, on two cores. */
  minutes: number;
  /** The script and its own options, without those that all parts accept. */
  command: string[];
  /** Whether it needs a checkpoint of real size. */
  isReal?: boolean;
};

const step = (...more: string[]): string[] => ['benchmarks/full-step.ts', ...more];

/** In the order in which they run: a part creates whatever later parts need and it needs first. */
export const PARTS: Part[] = [
  {
    name: 'whole-product',
    what: 'images a minute, 60 of 256 px, commit eceba92 and this one; orchestrator and worker; fixed seconds',
    minutes: 8,
    command: ['benchmarks/whole-product.ts'],
  },
  {
    name: 'everyday',
    what: '--help, a plan of 100 rows and one of 200,000, commit eceba92 and this one',
    minutes: 8,
    command: ['benchmarks/everyday.ts'],
  },
  {
    name: 'pipeline',
    what: 'an image of the default bundle at 256 and 512 px, float32 and int8, against diffusers',
    minutes: 4,
    command: ['benchmarks/whole-pipeline.ts'],
  },
  {
    name: 'decoder',
    what: 'decoding at 256, 512 and 1024 px, commit eceba92 and this one',
    minutes: 1,
    command: ['benchmarks/decoder.ts'],
  },
  {
    name: 'children',
    what: 'one renderer process or several',
    minutes: 5,
    command: ['benchmarks/children.ts'],
  },
  {
    name: 'int8-pictures',
    what: '50 prompts in int8 and float32',
    minutes: 4,
    command: ['benchmarks/int8-pictures.ts'],
  },
  {
    name: 'captions',
    what: '1,000 rows with 4 variants in two nights: texts encoded (runs once, whatever --rounds says)',
    minutes: 5,
    command: ['benchmarks/kept-captions.ts'],
  },
  {
    name: 'memory',
    what: 'predicted and measured memory of the default bundle',
    minutes: 1,
    command: ['benchmarks/memory.ts', 'pixart-icons', '256', '512', '1024'],
  },
  {
    name: 'step-256',
    what: 'a full-size step at 256 px against diffusers, torch.compile and OpenVINO',
    minutes: 6,
    command: step('--size', '256'),
    isReal: true,
  },
  {
    name: 'step-512',
    what: 'the same at 512 px',
    minutes: 9,
    command: step('--size', '512'),
    isReal: true,
  },
  {
    name: 'step-1024',
    what: 'the same at 1024 px, without torch.compile',
    minutes: 18,
    command: step('--size', '1024'),
    isReal: true,
  },
  {
    name: 'step-int8',
    what: 'our int8 at full size against other software in float and int8, 256 px, errors at 3 timesteps',
    minutes: 8,
    command: step('--size', '256', '--int8'),
    isReal: true,
  },
  {
    name: 'real-export',
    what: 'export of the whole checkpoint: memory and time',
    minutes: 60,
    command: ['benchmarks/real-export.ts'],
    isReal: true,
  },
  {
    name: 'real-export-limited',
    what: 'the same under a limit of 6 GiB',
    minutes: 60,
    command: ['benchmarks/real-export.ts', '--limited'],
    isReal: true,
  },
  {
    name: 'real-render',
    what: 'an image of 256 and one of 512 px, 20 steps: memory and time',
    minutes: 15,
    command: ['benchmarks/real-render.ts'],
    isReal: true,
  },
  {
    name: 'real-render-limited',
    what: 'the same under a limit of 5 GiB',
    minutes: 15,
    command: ['benchmarks/real-render.ts', '--limited'],
    isReal: true,
  },
];
