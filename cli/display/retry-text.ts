import type { FailureBudget, Retried } from '../../client/index.ts';
import { someOf } from '../../domain/user-error.ts';
import { count } from './text.ts';

/** Settings that came from the store because the server has forgotten the batch. */
export function takenText({ from, settings, isWebhookLost }: Retried): string[] {
  const { store, bundle, window, team, maxFailures } = settings;
  const source = { record: "as recorded in the batch's folder", plan: 'from its plan, defaults for the rest' };
  const run = [
    `bundle ${bundle}`,
    `window ${window}`,
    ...(team === undefined ? [] : [`team ${team.name}`]),
    maxFailures === undefined ? 'no limit on failures' : `at most ${budgetText(maxFailures)} failures`,
  ].join(', ');
  return [
    ...(from === 'server' ? [] : [`settings from ${store}, ${source[from]}: ${run}`]),
    ...(isWebhookLost ? [from === 'plan' ? WEBHOOK_UNKNOWN : WEBHOOK_LOST] : []),
  ];
}

/** `20`, `5%`, or `10% or 20` if a small batch may have more. */
function budgetText(budget: FailureBudget): string {
  if ('count' in budget) return String(budget.count);
  const share = `${Math.round(budget.share * 10_000) / 100}%`;
  return budget.atLeast === 0 ? share : `${share} or ${budget.atLeast}`;
}

const WEBHOOK_LOST =
  'the previous round called a webhook whose address the store does not keep: this round calls none unless --webhook names it';

const WEBHOOK_UNKNOWN =
  'an earlier version did not record whether the batch has a webhook: this round calls none unless --webhook names one';

export const leftAsideText = (ids: string[]): string =>
  `skipped, because the batch already has their images or has no such ids: ${someOf(ids)}`;

/**
 * `round 2 has started: 5 missing images, 2 rejected images again (the rejected files stay under objects/); 3 of them
 * corrected`
 */
export function startedText({ round, missing, corrected, rejected }: Retried): string {
  const parts = [
    ...(missing > 0 ? [count(missing, 'missing image')] : []),
    ...(rejected > 0 ? [`${count(rejected, 'rejected image')} again (the rejected files stay under objects/)`] : []),
  ];
  const corrections = corrected > 0 ? `; ${corrected} of them corrected` : '';
  return `round ${round} has started: ${parts.join(', ') || 'no image is missing, so it only writes the manifest'}${corrections}`;
}
