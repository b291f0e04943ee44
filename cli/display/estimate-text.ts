import type { AtMost, Preview } from '../../client/index.ts';
import { costOf, costText, durationText } from '../../domain/amounts.ts';
import { estimatedCost } from '../../records/at-most.ts';
import { count } from './text.ts';

/** What an estimate is based on: the number of devices, and the price of one per hour. */
export type FleetOptions = { devices: number; costPerHour?: number };

/** `device time: about 3 h 20 min, as on NVIDIA L4; about 50 min on 4 devices; costs about 8.33` */
export function estimateText(estimate: Preview, fleet: FleetOptions): string {
  const { deviceSeconds, guessed, devices } = estimate;
  if (deviceSeconds === null) return 'device time: unknown, no batch has rendered with this bundle into this store yet';
  const cost = fleet.costPerHour === undefined ? null : costOf(deviceSeconds, fleet.costPerHour);
  return [
    `device time: about ${durationText(deviceSeconds)}${devices.length > 0 ? `, as on ${devices.join(' and ')}` : ''}`,
    ...(fleet.devices > 1 ? [`about ${durationText(deviceSeconds / fleet.devices)} on ${fleet.devices} devices`] : []),
    ...(cost === null ? [] : [`costs about ${costText(cost)}`]),
    ...(guessed.length > 0 ? [`a guess for ${guessed.join(', ')}, which no batch has measured yet`] : []),
  ].join('; ');
}

/** `within the limits: 12 images to render; about 0.84: 0.34 h of device time, as on NVIDIA L4, at 2.5 an hour` */
export const limitsKeptText = (preview: Preview, { cost }: AtMost = {}): string =>
  `within the limits: ${count(preview.toRender, 'image')} to render${cost ? `; ${estimatedCost(preview, cost.perHour)}` : ''}`;
