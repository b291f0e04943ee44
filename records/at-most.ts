import { costOf, costText } from '../domain/amounts.ts';
import type { AtMost } from '../domain/at-most.ts';
import { LimitReached } from './limits.ts';
import type { Preview } from './preview.ts';

/** In the currency of the rate; `null` where no device time is known. */
export const previewCost = ({ deviceSeconds }: Pick<Preview, 'deviceSeconds'>, perHour: number): number | null =>
  deviceSeconds === null ? null : costOf(deviceSeconds, perHour);

/**
 * Keeps a batch from being started that would come to more than it may.
 *
 * @throws LimitReached with what was expected, what was found, and what that was estimated by
 */
export function checkAtMost({ images, cost }: AtMost, preview: Preview): void {
  if (images !== undefined && preview.toRender > images) {
    throw refused(`--max-jobs: expected at most ${images} images to render, found ${preview.toRender}`);
  }
  if (cost === undefined) return;
  const found = previewCost(preview, cost.perHour);
  if (found === null) throw refused(unknownPace(preview.warnings));
  if (found > cost.amount) {
    throw refused(`--max-cost: expected at most ${cost.amount}, found ${estimatedCost(preview, cost.perHour)}`);
  }
}

/** What is said where a cost is limited and no batch has measured what images take. */
export const unknownPace = (warnings: readonly string[]): string =>
  `--max-cost: expected a pace that an earlier batch measured in this store, found ${warnings[0] ?? 'none with this bundle'}. Have a few rows ` +
  'rendered first, or give --max-jobs instead';

/** `about 8.33: 3.33 h of device time, as on NVIDIA L4, at 2.5 an hour`; of a pace that nobody knows nothing. */
export function estimatedCost(preview: Preview, perHour: number): string {
  const { deviceSeconds, devices, guessed } = preview;
  const cost = previewCost(preview, perHour);
  if (cost === null || deviceSeconds === null) return 'unknown';
  return [
    `about ${costText(cost)}: ${costText(deviceSeconds / 3_600)} h of device time`,
    ...(devices.length > 0 ? [`as on ${devices.join(' and ')}`] : []),
    `at ${perHour} an hour`,
    ...(guessed.length > 0 ? [`a guess for ${guessed.join(', ')}, of which no batch has told yet`] : []),
  ].join(', ');
}

const refused = (what: string): LimitReached => new LimitReached(`${what}; nothing is started`);
