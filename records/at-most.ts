import { costOf, costText } from '../domain/amounts.ts';
import type { AtMost } from '../domain/at-most.ts';
import { LimitReached } from './limits.ts';
import type { Preview } from './preview.ts';

/** A preview's cost in the rate's currency; `null` if its device time is unknown. */
export const previewCost = ({ deviceSeconds }: Pick<Preview, 'deviceSeconds'>, perHour: number): number | null =>
  deviceSeconds === null ? null : costOf(deviceSeconds, perHour);

/**
 * Refuses a batch that would render or cost more than its caller allows.
 *
 * @throws LimitReached with what was expected, what was found, and how it was estimated
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

/** The refusal when a cost is limited and no batch has measured how long images take. */
export const unknownPace = (warnings: readonly string[]): string =>
  `--max-cost: expected a pace measured by an earlier batch in this store, found ${warnings[0] ?? 'none with this bundle'}. Render a few ` +
  'rows first, or use --max-jobs instead';

/** `about 8.33: 3.33 h of device time, as on NVIDIA L4, at 2.5 an hour`; `unknown` if no pace was measured. */
export function estimatedCost(preview: Preview, perHour: number): string {
  const { deviceSeconds, devices, guessed } = preview;
  const cost = previewCost(preview, perHour);
  if (cost === null || deviceSeconds === null) return 'unknown';
  return [
    `about ${costText(cost)}: ${costText(deviceSeconds / 3_600)} h of device time`,
    ...(devices.length > 0 ? [`as on ${devices.join(' and ')}`] : []),
    `at ${perHour} an hour`,
    ...(guessed.length > 0 ? [`a guess for ${guessed.join(', ')}, which no batch has measured yet`] : []),
  ].join(', ');
}

const refused = (what: string): LimitReached => new LimitReached(`${what}; nothing was started`);
