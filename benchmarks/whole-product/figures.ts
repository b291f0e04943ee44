import type { Measured } from './fleet.ts';

/** What one run of a checkout came to: seconds, and processor seconds an image where nothing else is said. */
export type Figures = ReturnType<typeof figuresOf>;

/** @param encoding processor seconds that encoding one picture takes */
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
  commandEnding: '  until the command has ended',
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

/** Medians of each checkout, and how many times the first one's figure the last one's is. */
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

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
