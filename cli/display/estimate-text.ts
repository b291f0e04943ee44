import type { Preview } from '../../client/index.ts';
import { durationText } from './text.ts';

/** What a person plans with: machines, and what an hour of one costs. */
export type FleetOptions = { devices: number; costPerHour?: number };

/** In the currency of `costPerHour`; `null` where either is not known. */
export const costOf = (
  { deviceSeconds }: Preview,
  { costPerHour }: Pick<FleetOptions, 'costPerHour'>,
): number | null =>
  deviceSeconds === null || costPerHour === undefined ? null : (deviceSeconds / 3_600) * costPerHour;

/** `device time: about 3 h 20 min, as on NVIDIA L4; on 4 devices done in about 50 min; costs about 8.33` */
export function estimateText(estimate: Preview, fleet: FleetOptions): string {
  const { deviceSeconds, guessed, devices } = estimate;
  if (deviceSeconds === null) return 'device time: unknown, no batch has rendered with this bundle into this store yet';
  const cost = costOf(estimate, fleet);
  return [
    `device time: about ${durationText(deviceSeconds)}${devices.length > 0 ? `, as on ${devices.join(' and ')}` : ''}`,
    ...(fleet.devices > 1
      ? [`on ${fleet.devices} devices done in about ${durationText(deviceSeconds / fleet.devices)}`]
      : []),
    ...(cost === null ? [] : [`costs about ${costText(cost)}`]),
    ...(guessed.length > 0 ? [`a guess for ${guessed.join(', ')}, of which no batch has told yet`] : []),
  ].join('; ');
}

/** Two decimals as of money, more where these would be zero. */
export const costText = (cost: number): string => cost.toFixed(cost < 0.1 ? 4 : 2);
