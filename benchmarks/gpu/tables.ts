import { type Goal, type Line, median, table } from '../bench/report.ts';
import { REAL } from './items.ts';
import { type Results, type Sample, samplesOf } from './results.ts';

type Value = (sample: Sample) => number;

const GB = 1e9;

const COLUMNS = 120;

const secondsEach: Value = ({ seconds, images }) => seconds / images;
const imagesASecond: Value = ({ seconds, images }) => images / seconds;
const decodeShare: Value = ({ denoiseSeconds = Number.NaN, decodeSeconds = Number.NaN }) =>
  decodeSeconds / denoiseSeconds;
const gigabytes: Value = ({ memoryBytes = Number.NaN }) => memoryBytes / GB;
const decibels: Value = ({ decibels }) => decibels ?? Number.POSITIVE_INFINITY;

/** The goals of issue 18, and what is worth knowing beside them, from a results file; what it lacks is "not measured". */
export function goalLines(results: Results | null): Line[] {
  const of = (item: string, series: string): readonly Sample[] => samplesOf(results, item, series);
  const [ourTexts, peersTexts] = [of('text', 'ours'), of('text', 'eager')];
  const hasTexts = ourTexts.length > 0 && peersTexts.length > 0;

  const alone = (item: string, peer: 'eager' | 'compiled', least: number): Line[] => {
    const painted: Line = {
      what: '1024 px, one at a time',
      unit: 's an image',
      ours: of(item, 'ours').map(secondsEach),
      peer: { name: `diffusers fp16 ${peer}`, runs: of(item, peer).map(secondsEach) },
      goal: { ratio: least },
      note: 'without T5',
    };
    if (!hasTexts) return [painted];
    const after = (texts: readonly Sample[], runs: number[]): number[] => {
      const encoding = median(texts.map(secondsEach));
      return runs.map((seconds) => seconds + encoding);
    };
    const fromPrompt: Line = {
      ...painted,
      what: '1024 px, with T5 once',
      ours: after(ourTexts, painted.ours),
      peer: { name: painted.peer!.name, runs: after(peersTexts, painted.peer!.runs) },
      note: '',
    };
    return [painted, fromPrompt];
  };
  const together = (size: string, { alone, eager, rate }: Record<'alone' | 'eager' | 'rate', number>): Line[] => {
    const against = (name: string, runs: number[], goal: Goal): Line => ({
      what: `${size} px, micro-batches of ${most(of(size, 'ours'), togetherOf)}`,
      unit: 'images/s',
      ours: of(size, 'ours').map(imagesASecond),
      peer: { name, runs },
      moreIsBetter: true,
      goal,
    });
    const { peer, ...ours } = against('', [], { atLeast: rate });
    return [
      against('one at a time', of(size, 'alone').map(imagesASecond), { ratio: alone }),
      against(
        `diffusers fp16 eager, batch ${most(of(size, 'eager'), imagesOf)}`,
        of(size, 'eager').map(imagesASecond),
        { ratio: eager },
      ),
      ours,
    ];
  };
  const share = (what: string, samples: readonly Sample[], most: number): Line => ({
    what: `${what}: decoding beside denoising, 1024 px`,
    unit: '',
    ours: samples.map(decodeShare),
    goal: { atMost: most },
  });
  return [
    ...alone('1024', 'eager', 1.3),
    ...alone('1024-compiled', 'compiled', 1.05),
    ...together('512', { alone: 3.5, eager: 1.15, rate: 5 }),
    ...together('256', { alone: 8, eager: 1.3, rate: 20 }),
    share('XL/2', of('1024', 'ours'), 0.12),
    share('pixart-icons', of('shipped', 'large'), 0.3),
    {
      what: '2K with compressed keys and values',
      unit: 's an image',
      ours: of('2k', 'ours').map(secondsEach),
      peer: { name: 'diffusers fp16 eager, not compressed', runs: of('2k', 'eager').map(secondsEach) },
      goal: { ratio: 1.4 },
    },
    {
      what: 'device busy, 500 images into a bucket with 50 ms latency',
      unit: '',
      ours: [],
      goal: { atLeast: 0.95 },
      note: '`benchmarks/overlap.ts`',
    },
    {
      what: 'device memory for 1024 px, without T5',
      unit: 'GB',
      ours: of('memory-1024', 'ours').map(gigabytes),
      goal: { atMost: 8 },
    },
    {
      what: '512 px, micro-batches against a compiled peer',
      unit: 'images/s',
      ours: of('512-compiled', 'ours').map(imagesASecond),
      peer: {
        name: `diffusers fp16 compiled, batch ${most(of('512-compiled', 'compiled'), imagesOf)}`,
        runs: of('512-compiled', 'compiled').map(imagesASecond),
      },
      moreIsBetter: true,
    },
    {
      what: '3840×2160, 2 steps',
      unit: 's an image',
      ours: of('4k', 'ours').map(secondsEach),
      peer: { name: 'diffusers fp16 eager, not compressed', runs: of('4k', 'eager').map(secondsEach) },
    },
    {
      what: 'T5-XXL, a text',
      unit: 's',
      ours: of('text', 'ours').map(secondsEach),
      peer: { name: 'transformers bf16, padded to 300', runs: of('text', 'eager').map(secondsEach) },
    },
    ...['pixart-icons', 'pixart-icons-4-steps'].map((bundle) => ({
      what: `${bundle}, 512 px: the GPU's picture against the processor's`,
      unit: 'dB',
      ours: of('shipped', bundle).map(decibels),
      goal: { atLeast: 50 },
    })),
  ];
}

const imagesOf: Value = ({ images }) => images;
const togetherOf: Value = ({ together = 1 }) => together;

/** The largest value; what the list asks for where there is none. */
const most = (samples: readonly Sample[], value: Value): number =>
  samples.length === 0 ? REAL.together : Math.max(...samples.map(value));

/** Machine, date and table, as docs/performance.md shows them and its formatter writes them. */
export function goalTable(results: Results | null): string {
  return [...origin(results), table(goalLines(results))].join('\n');
}

function origin(results: Results | null): string[] {
  if (results === null) return [];
  const { machine, runs } = results;
  const toy = machine.isToy ? ', with toy networks, whose figures mean nothing' : '';
  const dates = [...new Set(runs.map(({ startedAt }) => startedAt.slice(0, 10)))].join(' and ');
  const memory = `${(machine.memoryBytes / GB).toFixed(0)} GB`;
  const text = `Measured on ${dates} on ${machine.device} (${memory})${toy}: ${runs.at(-1)?.facts.join('; ')}.`;
  return [...wrapped(text), ''];
}

const wrapped = (text: string): string[] =>
  [...text.matchAll(new RegExp(`(.{1,${COLUMNS}})(?: |$)`, 'g'))].map(([, line]) => line!);
