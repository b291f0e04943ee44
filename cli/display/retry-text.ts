import type { FailureBudget, Retried } from '../../client/index.ts';
import { someOf } from '../../domain/user-error.ts';
import { count } from './text.ts';

/** What a server that has forgotten the batch did not tell. */
export function takenText({ from, settings, isWebhookLost }: Retried): string[] {
  const { store, bundle, window, team, maxFailures } = settings;
  const source = { record: 'as its folder says', plan: 'as its plan tells, the rest as usual' };
  const run = [
    `bundle ${bundle}`,
    `window ${window}`,
    ...(team === undefined ? [] : [`team ${team.name}`]),
    maxFailures === undefined ? 'any number of failures' : `at most ${budgetText(maxFailures)} failures`,
  ].join(', ');
  return [
    ...(from === 'server' ? [] : [`taken from ${store}, ${source[from]}: ${run}`]),
    ...(isWebhookLost ? [from === 'plan' ? WEBHOOK_UNKNOWN : WEBHOOK_LOST] : []),
  ];
}

/** `20`, `5%`, or `10% or 20` where a small batch may have more. */
function budgetText(budget: FailureBudget): string {
  if ('count' in budget) return String(budget.count);
  const share = `${Math.round(budget.share * 10_000) / 100}%`;
  return budget.atLeast === 0 ? share : `${share} or ${budget.atLeast}`;
}

const WEBHOOK_LOST =
  'the round before told a webhook, whose address the store does not keep: this one tells none unless --webhook names it';

const WEBHOOK_UNKNOWN =
  'an earlier version did not note whether the batch tells a webhook: this round tells none unless --webhook names one';

export const leftAsideText = (ids: string[]): string =>
  `left aside, since the batch has an image of them already or does not have such ids: ${someOf(ids)}`;

/** `round 2 has started: 5 missing images, 2 rejected images again (what was rejected stays under objects/); 3 of them as corrected` */
export function startedText({ round, missing, corrected, rejected }: Retried): string {
  const parts = [
    ...(missing > 0 ? [count(missing, 'missing image')] : []),
    ...(rejected > 0 ? [`${count(rejected, 'rejected image')} again (what was rejected stays under objects/)`] : []),
  ];
  const corrections = corrected > 0 ? `; ${corrected} of them as corrected` : '';
  return `round ${round} has started: ${parts.join(', ') || 'no image is missing, it writes the manifest'}${corrections}`;
}
