// One step of a checkpoint's whole transformer, here and in other software, in turn: processor seconds.
// npx tsx benchmarks/full-step.ts --real CHECKPOINT [--size 256] [--int8] [--threads 1] [--rounds 3] [--scratch FOLDER] [--json]
// Writes 3.1 GB to the scratch folder (with --int8 another 0.7) and reuses them; all programs are in memory at once, up to
// 14 GB.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, realCheckpoint, say, tellLines, withScratch } from './bench/part.ts';
import { ROOT } from './bench/real-bundle.ts';
import { type Goal, type Line, median } from './bench/report.ts';
import { type Entry, inTurn, type Measured } from './bench/rounds.ts';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    size: { type: 'string', default: '256' },
    int8: { type: 'boolean', default: false },
    threads: { type: 'string', default: '1' },
  },
});
const { size, threads } = values;
const PYTHON = path.join(ROOT, 'models/python.sh');
/** Our own program's name. */
const OURS = values.int8 ? 'int8' : 'float32';
const HUGE_PAGES = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };

const GOALS: Record<string, Record<string, number>> = {
  diffusers: { 256: 1.25, 512: 1.15, 1024: 1.15 },
  OpenVINO: { 256: 1.05, 512: 1.05, 1024: 1.05 },
};

/** @param folder prepare.py's */
function programs(folder: string): Entry[] {
  const options = [folder, '--size', size, '--threads', threads, ...(isLarge() ? ['--first', '256'] : [])];
  const of = (name: string, environment: NodeJS.ProcessEnv, ...command: string[]): Entry => ({
    name,
    command: [...command, ...options],
    environment,
  });
  const step = (kind: string) => [process.execPath, '--import', 'tsx', script('step.ts'), '--kind', kind];
  const diffusers = (kind: string) => [PYTHON, script('diffusers_step.py'), '--kind', kind];
  const openvino = (kind: string) => [
    ...[path.join(ROOT, 'benchmarks/peer/openvino.sh'), script('openvino_step.py')],
    ...['--kind', kind],
  ];
  const float32 = [of('diffusers', {}, ...diffusers('float32')), of('OpenVINO', {}, ...openvino('float32'))];
  if (isLarge()) return [of(OURS, {}, ...step('fp32')), ...float32];
  if (!values.int8) {
    const compiled = of('torch.compile', {}, ...diffusers('compiled'));
    const huge = of('diffusers, pages of 2 MB', HUGE_PAGES, ...diffusers('float32'));
    return [of(OURS, {}, ...step('fp32')), ...float32, compiled, huge];
  }
  return [
    // First, while memory is free: it may have to quantise the graph.
    of('OpenVINO int8', {}, ...openvino('int8')),
    of(OURS, {}, ...step('int8')),
    ...float32,
    of('diffusers bf16', {}, ...diffusers('bfloat16')),
    of('OpenVINO bf16', {}, ...openvino('bfloat16')),
    of('torch dynamic int8', {}, ...diffusers('int8')),
  ];
}

/** Above 512 px a call takes minutes, so the warm-up call is a small one, and nothing is compiled for it. */
function isLarge(): boolean {
  return Number(size) > 512;
}

function script(name: string): string {
  return path.join(ROOT, 'benchmarks/full-step', name);
}

await withScratch(values.scratch, async (scratch) => {
  const folder = path.join(scratch, 'full-step');
  if (!existsSync(folder)) prepare(realCheckpoint(values.real), folder);
  const measured = await inTurn(programs(folder), Number(values.rounds));
  const ours = measured.find(({ name }) => name === OURS)!;
  const peers = measured.filter((one) => one !== ours);
  tellLines(values.int8 ? int8Lines(ours, peers) : floatLines(ours, peers), values.json);
});

function prepare(checkpoint: string, folder: string): void {
  say('  preparing graphs and inputs');
  const { status } = spawnSync(PYTHON, [script('prepare.py'), checkpoint, folder], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`prepare.py exited with code ${status}`);
}

function floatLines(ours: Measured, peers: Measured[]): Line[] {
  return peers.map((peer) => line(ours, peer, GOALS[peer.name]?.[size]));
}

/**
 * The goals apply to the fastest peers: among those in floats, and among those in int8 with errors no larger than ours.
 */
function int8Lines(ours: Measured, peers: Measured[]): Line[] {
  const floats = peers.filter(({ name }) => !name.endsWith('int8'));
  const equal = peers.filter((peer) => peer.name.endsWith('int8') && worst(peer) <= 1.1 * worst(ours));
  const goals = new Map([
    [fastest(floats), 2.2],
    [fastest(equal), 1],
  ]);
  return peers.map((peer) => line(ours, peer, goals.get(peer)));
}

function fastest(peers: Measured[]): Measured | undefined {
  return peers.toSorted((a, b) => median(a.seconds) - median(b.seconds))[0];
}

function worst({ errors = [] }: Measured): number {
  return Math.max(...errors);
}

function line(ours: Measured, peer: Measured, goal: number | undefined): Line {
  const reached: Goal | undefined = goal === undefined ? undefined : { ratio: goal };
  return {
    what: `one transformer step, ${ours.name}, ${size} px, ${threads} thread${threads === '1' ? '' : 's'}`,
    unit: 'processor s',
    ours: ours.seconds,
    peer: { name: peer.name, runs: peer.seconds },
    ...(reached && { goal: reached }),
    note: [peer.version, errorText('relative error of ours', ours), errorText('peer', peer)].filter(Boolean).join('; '),
  };
}

function errorText(whose: string, { errors = [] }: Measured): string {
  return errors.length === 0 ? '' : `${whose} ${errors.map((error) => error.toExponential(1)).join(' / ')}`;
}
