import { type Line, median } from '../bench/report.ts';
import type { Measured } from './fleet.ts';

/** The figures of one run of a checkout: seconds, and processor seconds for each image unless named otherwise. */
export type Figures = ReturnType<typeof figuresOf>;

/** @param encoding processor seconds to encode one image */
export function figuresOf(one: Measured, many: Measured, encoding: number) {
  const { images, wall, times, processor, computing } = many;
  const { server, orchestrator, worker, renderers, command } = processor;
  return {
    imagesPerMinute: (60 * images) / wall,
    wall,
    wallOfOneImage: one.wall,
    fixed: times.firstImage + (wall - times.lastImage),
    toStart: times.started,
    planning: times.planned - times.started,
    toFirstImage: times.firstImage - times.planned,
    rendering: times.lastImage - times.firstImage,
    receipts: times.receipts - times.lastImage,
    manifest: times.manifest - times.receipts,
    contactSheet: times.contactSheet - times.manifest,
    ending: times.ended - times.contactSheet,
    commandEnding: wall - times.ended,
    computing,
    orchestratorAndWorker: (orchestrator + worker) / images - encoding,
    orchestrator: orchestrator / images,
    worker: worker / images,
    encoding,
    server: server / images,
    renderers: renderers / images,
    command,
    workflowTasks: many.workflowTasks / images,
    events: many.events / images,
    orchestratorOfOneImage: one.processor.orchestrator,
    workerOfOneImage: one.processor.worker,
    serverOfOneImage: one.processor.server,
  };
}

const WORDS: Record<keyof Figures, string> = {
  imagesPerMinute: 'images a minute',
  wall: 'wall, s',
  wallOfOneImage: 'wall of a batch of one image, s',
  fixed: 'fixed: before the first image and after the last, s',
  toStart: '  command until the batch has started',
  planning: '  planning',
  toFirstImage: '  until the first image',
  rendering: 'first image begun until last one stored, s',
  receipts: '  receipts',
  manifest: '  manifest',
  contactSheet: '  contact sheet',
  ending: '  end of the batch',
  commandEnding: '  until the command exits',
  computing: 'share of it in which renderers compute',
  orchestratorAndWorker: 'orchestrator + worker without PNG, processor s an image',
  orchestrator: '  orchestrator',
  worker: '  worker',
  encoding: '  encoding a PNG',
  server: 'server, processor s an image',
  renderers: 'renderers, processor s an image',
  command: 'command, processor s',
  workflowTasks: 'workflow tasks an image',
  events: 'events in histories an image',
  orchestratorOfOneImage: 'orchestrator, batch of one image, processor s',
  workerOfOneImage: 'worker, batch of one image, processor s',
  serverOfOneImage: 'server, batch of one image, processor s',
};

/** The medians of each checkout, and the ratio of the last one's to the first one's. */
export function tableOf(runs: Record<string, Figures[]>): string {
  const names = Object.keys(runs);
  const rows = Object.entries(WORDS).map(([key, words]) => {
    const medians = names.map((name) => median(runs[name]!.map((figures) => figures[key as keyof Figures])));
    const ratio = names.length > 1 ? [(medians.at(-1)! / medians[0]!).toFixed(2)] : [];
    return [words, ...medians.map((value) => value.toFixed(3)), ...ratio];
  });
  const heads = ['medians', ...names, ...(names.length > 1 ? ['ratio'] : [])];
  return [heads, ...rows]
    .map(([first, ...cells]) => `${first!.padEnd(58)}${cells.map((cell) => cell.padStart(15)).join('')}`)
    .join('\n');
}

type Told = { key: keyof Figures; what: string; unit: string } & Pick<Line, 'goal' | 'moreIsBetter'>;

/** The figures with goals, for `npm run bench`; the rest appear only in this script's table. */
const TOLD: Told[] = [
  { key: 'imagesPerMinute', what: 'whole product', unit: 'images/min', goal: { ratio: 2 }, moreIsBetter: true },
  {
    key: 'orchestratorAndWorker',
    what: 'orchestrator + worker without PNG, an image',
    unit: 'processor s',
    goal: { atMost: 0.07 },
  },
  { key: 'server', what: 'Temporal server, an image', unit: 'processor s' },
  { key: 'fixed', what: 'fixed seconds: before the first image and after the last', unit: 's', goal: { atMost: 3 } },
  {
    key: 'computing',
    what: 'share of the time in which the device computes',
    unit: '',
    goal: { atLeast: 0.97 },
    moreIsBetter: true,
  },
];

/** The last checkout's figures, compared with the first one's if there are two. */
export function linesOf(runs: Record<string, Figures[]>, images: number): Line[] {
  const names = Object.keys(runs);
  const valuesOf = (name: string, key: keyof Figures): number[] => runs[name]!.map((figures) => figures[key]);
  return TOLD.map(({ key, what, ...rest }) => ({
    ...rest,
    what: `${what}; ${images} images of 256 px, 4-step bundle`,
    ours: valuesOf(names.at(-1)!, key),
    ...(names.length > 1 && { peer: { name: names[0]!, runs: valuesOf(names[0]!, key) } }),
  }));
}
