import { nearestBin } from '../../domain/bins.ts';
import type { Bin, Size } from '../../domain/size.ts';

/** Bundles in the folder that `gpu-kit.ts bundles` makes: PixArt-Σ XL/2 with random weights, and the shipped ones. */
export const BUNDLES = ['xl', 'xl-2k', 'pixart-icons', 'pixart-icons-4-steps'] as const;

export type BundleName = (typeof BUNDLES)[number];

type Pictures = { size: Size; bin: Bin; steps: number; images: number };

/** One measurement: ours by the product's renderer and encoder, the peer's by diffusers. */
export type Task =
  | ({ kind: 'paint'; bundle: BundleName; isMemoryWatched: boolean } & Pictures)
  /** Paints one picture, and compares it with the processor's. */
  | ({ kind: 'compare'; bundle: BundleName } & Pictures)
  | { kind: 'encode'; bundle: BundleName; tokens: number }
  | ({ kind: 'diffusers'; isCompiled: boolean } & Pictures)
  | { kind: 'transformers'; tokens: number };

export type PeerTask = Extract<Task, { kind: 'diffusers' | 'transformers' }>;

export const isPeers = (task: Task): task is PeerTask => task.kind === 'diffusers' || task.kind === 'transformers';

/** One entry of the list: its series are measured in turn, a sample of each in every round. */
export type Item = {
  name: string;
  /** What a peer does stands after a semicolon. */
  what: string;
  /** An estimate for one large GPU, including everything that is loaded, prepared or compiled first. */
  seconds: number;
  rounds: number;
  series: Record<string, Task>;
};

/** How large everything is. */
export type Scale = {
  size: (size: Size) => Size;
  steps: number;
  fewSteps: number;
  /** Images that the renderer is given at once where they share calls, and those that may share one. */
  images: number;
  together: number;
  tokens: number;
  rounds: (rounds: number) => number;
  seconds: (seconds: number) => number;
};

export const REAL: Scale = {
  size: (size) => size,
  steps: 20,
  fewSteps: 2,
  // Twice as many as a call has: images join and leave, as in a worker.
  images: 16,
  together: 8,
  tokens: 30,
  rounds: (rounds) => rounds,
  seconds: (seconds) => seconds,
};

/** For tests on a processor: the same list with tiny networks. */
export const TOY: Scale = {
  size: () => '256',
  steps: 2,
  fewSteps: 2,
  images: 4,
  together: 2,
  tokens: 5,
  rounds: () => 1,
  seconds: () => 5,
};

/**
 * The list. Items that have goals come first; of these, compiled ones come last, since nobody knows how long compiling
 * takes. Within this order, items that need the same networks are neighbours where possible.
 */
export function itemsOf(scale: Scale): Item[] {
  const { steps, fewSteps, images, together, tokens } = scale;
  const pictures = (size: Size, count: number, of: { steps: number; bin?: Bin }): Pictures => {
    const scaled = scale.size(size);
    const bin = scaled === size && of.bin !== undefined ? of.bin : nearestBin(scaled, 1, 1);
    return { size: scaled, bin, steps: of.steps, images: count };
  };
  const paint = (bundle: BundleName, size: Size, count = 1, of: { steps: number; bin?: Bin } = { steps }) => ({
    kind: 'paint' as const,
    bundle,
    isMemoryWatched: false,
    ...pictures(size, count, of),
  });
  const diffusers = (size: Size, count = 1, of: { steps: number; bin?: Bin } = { steps }) => ({
    kind: 'diffusers' as const,
    isCompiled: false,
    ...pictures(size, count, of),
  });
  const compiled = (size: Size, count = 1): Task => ({ ...diffusers(size, count), isCompiled: true });
  const compare = (bundle: BundleName, size: Size, of: { steps: number }): Task => ({
    kind: 'compare',
    bundle,
    ...pictures(size, 1, of),
  });
  const few = { steps: fewSteps, bin: { height: 2160, width: 3840 } };
  const items: Item[] = [
    {
      name: 'memory-1024',
      what: 'device memory for one image of 1024 px, without the text encoder',
      seconds: 35,
      rounds: 1,
      series: { ours: { ...paint('xl', '1024'), isMemoryWatched: true } },
    },
    {
      name: '1024',
      what: '1024 px, one at a time; diffusers fp16 eager',
      seconds: 45,
      rounds: 5,
      series: { ours: paint('xl', '1024'), eager: diffusers('1024') },
    },
    {
      name: '512',
      what: `512 px, micro-batches of ${together} and one at a time; diffusers fp16 eager in batches of ${together}`,
      seconds: 35,
      rounds: 3,
      series: { ours: paint('xl', '512', images), alone: paint('xl', '512'), eager: diffusers('512', together) },
    },
    {
      name: '256',
      what: `256 px, the same`,
      seconds: 25,
      rounds: 3,
      series: { ours: paint('xl', '256', images), alone: paint('xl', '256'), eager: diffusers('256', together) },
    },
    {
      name: 'shipped',
      what: 'the shipped bundles: pictures of 512 px against those of the processor, and 1024 px',
      seconds: 40,
      rounds: 1,
      series: {
        'pixart-icons': compare('pixart-icons', '512', { steps }),
        'pixart-icons-4-steps': compare('pixart-icons-4-steps', '512', { steps: Math.min(steps, 4) }),
        large: paint('pixart-icons', '1024'),
      },
    },
    {
      name: '2k',
      what: '2K with compressed keys and values; diffusers fp16 eager without',
      seconds: 75,
      rounds: 1,
      series: { ours: paint('xl-2k', '2k'), eager: diffusers('2k') },
    },
    {
      name: '1024-compiled',
      what: '1024 px, one at a time; diffusers fp16 compiled',
      seconds: 100,
      rounds: 3,
      series: { ours: paint('xl', '1024'), compiled: compiled('1024') },
    },
    {
      name: 'text',
      what: `T5-XXL: a text of ${tokens} tokens; transformers in bf16`,
      seconds: 90,
      rounds: 5,
      series: { ours: { kind: 'encode', bundle: 'xl', tokens }, eager: { kind: 'transformers', tokens } },
    },
    {
      name: '4k',
      what: `3840×2160 in ${fewSteps} steps, compressed; diffusers fp16 eager without`,
      seconds: 45,
      rounds: 1,
      series: { ours: paint('xl-2k', '4k', 1, few), eager: diffusers('4k', 1, few) },
    },
    {
      name: '512-compiled',
      what: `512 px in batches of ${together}; diffusers fp16 compiled`,
      seconds: 100,
      rounds: 3,
      series: { ours: paint('xl', '512', images), compiled: compiled('512', together) },
    },
  ];
  return items.map((item) => ({ ...item, rounds: scale.rounds(item.rounds), seconds: scale.seconds(item.seconds) }));
}

/** The list without what peers would measure; items that only add a compiled peer have nothing to add. */
export const withoutPeers = (items: readonly Item[]): Item[] =>
  items
    .filter(({ series }) => !Object.hasOwn(series, 'compiled'))
    .map((item) => ({
      ...item,
      what: item.what.split(';')[0]!,
      series: Object.fromEntries(Object.entries(item.series).filter(([, task]) => !isPeers(task))),
    }));
