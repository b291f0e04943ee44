import { type BatchRequest, misspeltColumns, type PlanSummary } from '../../client/index.ts';
import { count } from './text.ts';

/** `24 rows, 24 jobs, 22 different images` */
export const summaryText = ({ rows, jobs, images }: PlanSummary): string =>
  `${count(rows, 'row')}, ${count(jobs, 'job')}, ${count(images, 'different image')}`;

/** What might surprise whoever wrote `{red|blue}` or `negativ_prompt`. */
export const planHints = ({ unexpanded, metadata }: PlanSummary, { expansion }: BatchRequest): string[] => [
  ...(unexpanded > 0 && expansion === undefined
    ? [
        `${count(unexpanded, 'row')} with {a|b} or __name__ in the prompt, taken as it stands; --expand makes every combination`,
      ]
    : []),
  ...misspeltColumns(metadata).map(
    ({ found, meant }) =>
      `column ${JSON.stringify(found)} changes no picture and is carried along; was ${meant} meant?`,
  ),
];
