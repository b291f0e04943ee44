import { table } from '../../infra/reference/markdown.ts';
import { endOf, predicted, type Setup } from './capacity.ts';
import { type Costs, callMsOf } from './costs.ts';
import { simulated } from './fleet-model.ts';
import { oneMachine } from './machines.ts';
import { type Point, workOf } from './point.ts';
import type { Rate } from './rates.ts';
import type { BatchSize } from './rig.ts';

const percent = (share: number): string => `${(100 * share).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)} %`;
const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const rateOf = (perSecond: number): string => perSecond.toFixed(perSecond < 10 ? 1 : 0);

/** What an image costs: processor time by process, calls, and database time. */
export function costTable(points: readonly Point[]): string {
  const heads = [
    'size',
    'GPUs',
    'images/s',
    'server',
    'orchestrator',
    'its busiest thread',
    'render workers',
    'cores in use',
  ];
  const row = (point: Point): string[] => {
    const { rate, gpus, perSecond, processorMs, threadMs, cores, calls, heartbeats, storeCalls } = point;
    return [
      ...[rate.size, String(gpus), rateOf(perSecond)],
      ...[processorMs.server, processorMs.orchestrator, threadMs, processorMs.workers].map(ms),
      ...[cores.toFixed(2), calls.toFixed(1), heartbeats.toFixed(2), storeCalls.toFixed(1), ms(callMsOf(point))],
    ];
  };
  return table([...heads, 'calls', 'of these heartbeats', 'database calls', 'ms each'], points.map(row));
}

/**
 * The model beside the runs: the same images and GPUs, with every process on this machine's cores, and database calls as
 * long as in that run, since they depend on what else needs the cores.
 */
export function checkTable(points: readonly (Point & BatchSize)[], costs: Costs, cores: number): string {
  const heads = ['images/s', 'device time lost', 'slot free, ms', 'heartbeats', 'workflow tasks'];
  const rows = points.map((point) => {
    const { rate, gpus, images, window, queued } = point;
    const there = { ...costs, callMs: callMsOf(point) };
    const model = simulated({ rate, gpus, images, window, batches: 1 }, there, (agenda) =>
      oneMachine(agenda, there, cores),
    );
    const work = workOf(rate, model.gpus, { queued });
    return [
      ...[rate.size, String(gpus), ms(there.callMs), percent((point.perSecond * point.storeMs) / 1_000)],
      ...[rateOf(point.perSecond), rateOf(work.perSecond), percent(work.perSecond / point.perSecond - 1)],
      ...[percent(point.lost), percent(work.lost)],
      ...[point, work].map(({ refillMs }) => `${ms(refillMs.median)} (${ms(refillMs.most)})`),
      ...[point.heartbeats, model.heartbeats / images].map((beats) => beats.toFixed(2)),
      ...[point.workflowTasks, model.tasks / images].map((tasks) => tasks.toFixed(2)),
    ];
  });
  const [speed, ...others] = heads.map((head) => [head, 'model']);
  return table(['size', 'GPUs', 'database call, ms', 'connection in use', ...speed!, 'error', ...others.flat()], rows);
}

const FLEETS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Images a second and device time lost, for 1 to 500 GPUs. */
export function fleetTable(rates: readonly Rate[], costs: Costs, setup: Setup): string {
  const rows = FLEETS.map((gpus) => [
    String(gpus),
    ...rates.map((rate) => {
      const { perSecond, lost } = predicted(rate, gpus, costs, setup);
      return `${rateOf(perSecond)} (${percent(Math.max(0, lost))})`;
    }),
  ]);
  return table(['GPUs', ...rates.map(({ size, perSecond }) => `${size}: ${perSecond} images/s each`)], rows);
}

const LOST = 0.05;

/** How many GPUs each set-up keeps busy, and what limits it. */
export function endTable(rates: readonly Rate[], costs: Costs, setups: Readonly<Record<string, Setup>>): string {
  const most = FLEETS.at(-1)!;
  const rows = Object.entries(setups).map(([name, setup]) => [
    name,
    ...rates.map((rate) => {
      const { gpus, perSecond, by } = endOf(rate, costs, setup, { share: LOST, most });
      return gpus === null ? `beyond ${most}` : `${gpus} (${rateOf(perSecond)} images/s): ${by}`;
    }),
  ]);
  return table([`GPUs until ${percent(LOST)} of their time is lost`, ...rates.map(({ size }) => size)], rows);
}
