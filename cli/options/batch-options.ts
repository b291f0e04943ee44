import { type Command, InvalidArgumentError, Option } from 'commander';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { type AtMost, type FailureBudget, MAX_WINDOW, type RowFilter, type Team } from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { amount, wholeNumber } from './values.ts';

export const failureBudgetOption = (): Option =>
  new Option(
    '--max-failures <n or n%>',
    'pause the batch once more jobs than this have failed: a number, or a share of all jobs',
  ).argParser(failureBudget);

export const windowOption = (): Option =>
  new Option('--window <n>', 'images in flight at once, per size').argParser(wholeNumber(1, MAX_WINDOW));

export const webhookOption = (): Option =>
  new Option(
    '--webhook <receiver>',
    'send a message when the batch ends or pauses itself: to https://…, slack, teams, or mailto:name@studio.example (docs/guide.md)',
  );

export const costOption = (what = 'price of one device per hour, to estimate what the batch costs'): Option =>
  new Option('--cost-per-hour <amount>', what).env('PIXART_COST_PER_HOUR').argParser(amount);

export const maxJobsOption = (): Option =>
  new Option('--max-jobs <n>', 'do not start if more images than this have to be rendered').argParser(
    wholeNumber(0, CATALOG_LIMITS.jobs),
  );

export const maxCostOption = (): Option =>
  new Option('--max-cost <amount>', 'do not start if it would cost more than this; needs --cost-per-hour').argParser(
    amount,
  );

export type AtMostOptions = { maxJobs?: number; maxCost?: number; costPerHour?: number };

/** The limits that the options set; `undefined` if they set none. @throws UserError for a maximum cost without a price */
export function atMostOf({ maxJobs, maxCost, costPerHour }: AtMostOptions): AtMost | undefined {
  if (maxCost !== undefined && costPerHour === undefined) {
    throw new UserError('--max-cost: expected --cost-per-hour as well, the price of one device per hour; found none');
  }
  if (maxJobs === undefined && maxCost === undefined) return undefined;
  return {
    ...(maxJobs !== undefined && { images: maxJobs }),
    ...(maxCost !== undefined && { cost: { amount: maxCost, perHour: costPerHour! } }),
  };
}

/** `20` or `5%`. @throws InvalidArgumentError */
function failureBudget(text: string): FailureBudget {
  if (/^\d{1,9}$/.test(text)) return { count: Number(text) };
  const share = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  if (share !== null && Number(share[1]) <= 100) return { share: Number(share[1]) / 100, atLeast: 0 };
  throw new InvalidArgumentError('Expected a number of jobs, such as 20, or a share, such as 5%.');
}

/** `column=value`. @throws InvalidArgumentError */
function rowFilter(text: string): RowFilter {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected column=value, where * in the value matches anything.');
  return { column: text.slice(0, at), pattern: text.slice(at + 1) };
}

export const whereOption = (): Option =>
  new Option(
    '--where <column=value>',
    'select rows with this value, in which * matches anything; repeatable, selects rows that match any of them',
  ).argParser((text: string, before: RowFilter[] | undefined) => [...(before ?? []), rowFilter(text)]);

export type TeamOptions = { team?: string; weight?: number };

/** @throws UserError for a weight without a team */
export function teamOf({ team, weight }: TeamOptions): Team | undefined {
  if (team === undefined && weight !== undefined) throw new UserError('--weight: expected --team as well, found none');
  return team === undefined ? undefined : { name: team, weight: weight ?? 1 };
}

export const addTeamOptions = (command: Command): Command =>
  command
    .option(
      '--team <name>',
      'team that owns the batch: teams waiting for the same devices share them if the server has fairness enabled (docs/guide.md)',
    )
    .option('--weight <n>', "the team's share relative to other teams; default: 1", Number);
