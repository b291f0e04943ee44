import { table } from '../../infra/reference/markdown.ts';
import { endOf, predicted, type Setup } from './capacity.ts';
import { simulated } from './fleet-model.ts';
import { type Costs, oneMachine } from './machines.ts';
import { type Point, workOf } from './point.ts';
import type { Rate } from './rates.ts';
import type { BatchSize } from './rig.ts';

const percent = (share: number): string => `${(100 * share).toFixed(Math.abs(share) < 0.0995 ? 1 : 0)} %`;
const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
const rateOf = (perSecond: number): string => perSecond.toFixed(perSecond < 10 ? 1 : 0);

/** Where device time goes: processor time an image, by process. */
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
  const row = ({
    rate,
    gpus,
    perSecond,
    processorMs,
    threadMs,
    cores,
    calls,
    heartbeats,
    storeCalls,
    storeMs,
  }: Point) => [
    ...[rate.size, String(gpus), rateOf(perSecond)],
    ...[processorMs.server, processorMs.orchestrator, threadMs, processorMs.workers].map(ms),
    ...[cores.toFixed(2), calls.toFixed(1), heartbeats.toFixed(2), storeCalls.toFixed(1), ms(storeMs)],
  ];
  return table([...heads, 'calls', 'of them heartbeats', 'database calls', 'their time'], points.map(row));
}

/** The model beside what it is about: the same images on the same GPUs, all processes on this machine's cores. */
export function checkTable(points: readonly (Point & BatchSize)[], costs: Costs, cores: number): string {
  const heads = [
    'images/s',
    'model',
    'error',
    'device time lost',
    'model',
    'slot free, ms',
    'model',
    'heartbeats',
    'model',
  ];
  const rows = points.map((point) => {
    const { rate, gpus, images, window } = point;
    const model = simulated({ rate, gpus, images, window, batches: 1 }, costs, oneMachine(costs, cores));
    const work = workOf(rate, model.gpus, point.queued);
    return [
      ...[rate.size, String(gpus)],
      ...[rateOf(point.perSecond), rateOf(work.perSecond), percent(work.perSecond / point.perSecond - 1)],
      ...[percent(point.lost), percent(work.lost)],
      ...[point, work].map(({ refillMs }) => `${ms(refillMs.median)} (${ms(refillMs.most)})`),
      ...[point.heartbeats, model.heartbeats / images].map((beats) => beats.toFixed(2)),
    ];
  });
  return table(['size', 'GPUs', ...heads], rows);
}

const FLEETS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Images a second and the device time lost, for fleets of 1 to 500 GPUs. */
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

/** Where each set-up ends, and what ends it. */
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
