import { type Command, InvalidArgumentError, Option } from 'commander';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { type AtMost, type FailureBudget, MAX_WINDOW, type RowFilter, type Team } from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { amount, wholeNumber } from './values.ts';

export const failureBudgetOption = (): Option =>
  new Option(
    '--max-failures <n or n%>',
    'pause the batch when more of its jobs fail: a number, or a share of all',
  ).argParser(failureBudget);

export const windowOption = (): Option =>
  new Option('--window <n>', 'images in flight at once, for each size').argParser(wholeNumber(1, MAX_WINDOW));

export const webhookOption = (): Option =>
  new Option(
    '--webhook <receiver>',
    'tell how the batch ends, or that it paused itself: https://…, slack, teams, or mailto:name@studio.example (docs/guide.md)',
  );

export const costOption = (what = 'of one device, to tell what the batch costs'): Option =>
  new Option('--cost-per-hour <amount>', what).env('PIXART_COST_PER_HOUR').argParser(amount);

export const maxJobsOption = (): Option =>
  new Option('--max-jobs <n>', 'start nothing where more images than this have to be rendered').argParser(
    wholeNumber(0, CATALOG_LIMITS.jobs),
  );

export const maxCostOption = (): Option =>
  new Option('--max-cost <amount>', 'start nothing where it would cost more; with --cost-per-hour').argParser(amount);

export type AtMostOptions = { maxJobs?: number; maxCost?: number; costPerHour?: number };

/** What the options let a batch come to; `undefined` where that is anything. @throws UserError for a cost that nobody can know */
export function atMostOf({ maxJobs, maxCost, costPerHour }: AtMostOptions): AtMost | undefined {
  if (maxCost !== undefined && costPerHour === undefined) {
    throw new UserError('--max-cost: expected --cost-per-hour beside it, what an hour of one device costs');
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
  throw new InvalidArgumentError('Expected a number of jobs such as 20, or a share such as 5%.');
}

/** `column=value`. @throws InvalidArgumentError */
function rowFilter(text: string): RowFilter {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected column=value, where * in the value stands for anything.');
  return { column: text.slice(0, at), pattern: text.slice(at + 1) };
}

export const whereOption = (): Option =>
  new Option(
    '--where <column=value>',
    'rows with that value, * in it stands for anything; given several times, rows that one of them finds',
  ).argParser((text: string, before: RowFilter[] | undefined) => [...(before ?? []), rowFilter(text)]);

export type TeamOptions = { team?: string; weight?: number };

/** @throws UserError for a weight of nobody */
export function teamOf({ team, weight }: TeamOptions): Team | undefined {
  if (team === undefined && weight !== undefined) throw new UserError('--weight: expected --team with it, found none');
  return team === undefined ? undefined : { name: team, weight: weight ?? 1 };
}

export const addTeamOptions = (command: Command): Command =>
  command
    .option(
      '--team <name>',
      'whose batch it is: teams that wait for the same devices share them, where the server has fairness switched on (docs/guide.md)',
    )
    .option('--weight <n>', "the team's share beside the others'; otherwise 1", Number);
