import {
  type BatchRequest,
  type CheckedCatalog,
  columnHintText,
  type PlanSummary,
  type RowsFound,
} from '../../client/index.ts';
import { named } from '../../domain/printable.mjs';
import { isTableColumn } from '../../records/manifest-table.ts';
import { isAsNamed, readAsText } from './read-as-text.ts';
import { count } from './text.ts';
import { vocabularyText } from './vocabulary-text.ts';

/** `24 rows, 24 jobs, 22 different images` */
export const summaryText = ({ rows, jobs, images }: PlanSummary): string =>
  `${count(rows, 'row')}, ${count(jobs, 'job')}, ${count(images, 'different image')}`;

/** Probable mistakes: always printed, even with --json. */
export const planHints = (plan: CheckedCatalog, { expansion }: BatchRequest): string[] => [
  ...(plan.unexpanded > 0 && expansion === undefined
    ? [
        `${count(plan.unexpanded, 'row')} with choices such as {a|b} or __name__ in the prompt, used as written; --expand makes every combination`,
      ]
    : []),
  ...plan.columnHints.slice(0, HINTS_SHOWN).map(columnHintText),
  ...(plan.columnHints.length > HINTS_SHOWN
    ? [`… and ${plan.columnHints.length - HINTS_SHOWN} more such columns`]
    : []),
  ...rowsText(
    plan,
    plan.emptyPrompts,
    'warning: ',
    'with a prompt that has no words left after cleaning, so it counts as empty',
  ),
  ...rowsText(
    plan,
    plan.placeholders,
    'warning: ',
    'with a prompt such as "None" or "nan", which is drawn as that word; leave the cell empty for no prompt',
  ),
  ...rowsText(
    plan,
    plan.foreignPrompts,
    'warning: ',
    'with a prompt in which the model knows no word, such as emoji or a script it was not trained on',
  ),
  ...rowsText(
    plan,
    plan.undrawablePrompts,
    'warning: ',
    `with a prompt that names nothing ${vocabularyText(plan.undrawablePrompts?.things ?? [])}`,
  ),
];

/** What happens to the catalog's prompts, one line each. */
const promptNotes = (plan: CheckedCatalog): string[] => [
  ...(plan.cutPrompts && plan.cutPrompts.rows > 0 ? [cutText(plan, plan.cutPrompts)] : []),
  ...(plan.cleanedPrompts && plan.cleanedPrompts.rows > 0 ? [cleanedText(plan, plan.cleanedPrompts)] : []),
  ...rowsText(plan, plan.unknownCharacters, '', 'with prompt characters that the model does not know'),
  ...(plan.marks.rows > 0 ? [marksText(plan)] : []),
  ...(plan.unheardNegatives > 0
    ? [`${count(plan.unheardNegatives, 'row')} with a negative prompt that has no effect: guidance 1 ignores it`]
    : []),
];

/** What to know about a batch besides its size and cost. */
export const batchNotes = (plan: CheckedCatalog, request: BatchRequest): string[] => [
  ...(request.defaults?.seeds === 'fresh'
    ? ['rows without a seed get a new one in every batch, so none of their images exists yet']
    : []),
  ...promptNotes(plan),
  ...signingNotes(request),
  ...carriedText(plan),
];

/** All of it, for someone about to render the catalog. */
export const planNotes = (plan: CheckedCatalog, request: BatchRequest): string[] => [
  ...(isAsNamed(plan.readAs) ? [] : [readAsText(plan.readAs)]),
  ...planHints(plan, request),
  ...batchNotes(plan, request),
];

/** What a batch with signed images needs. */
const signingNotes = ({ defaults }: BatchRequest): string[] =>
  defaults?.sign === undefined
    ? []
    : [
        "the batch's own copies are signed: render workers need a key and its certificates (--sign-with, --sign-as); without them images fail",
      ];

function carriedText({ metadata }: CheckedCatalog): string[] {
  const [own, others] = [metadata.filter(isTableColumn), metadata.filter((name) => !isTableColumn(name))];
  return [
    ...(others.length === 0 ? [] : [`carried over to the manifest: ${namesText(others)}`]),
    ...(own.length === 0
      ? []
      : [
          `carried over to manifest.jsonl only, since manifest.csv has its own columns of that name: ${namesText(own)}`,
        ]),
  ];
}

const NAMES_SHOWN = 40;

const namesText = (names: string[]): string =>
  `${names.slice(0, NAMES_SHOWN).map(named).join(', ')}${names.length > NAMES_SHOWN ? `, … and ${names.length - NAMES_SHOWN} more` : ''}`;

/** In JSON lines every row may have its own columns. */
const HINTS_SHOWN = 20;

/** One line if there are such rows, none otherwise. */
const rowsText = (plan: CheckedCatalog, found: RowsFound | null | undefined, before: string, what: string): string[] =>
  found && found.rows > 0 ? [`${before}${count(found.rows, 'row')} ${what}: ${linesText(plan, found)}`] : [];

/** Text files have lines, sheets have rows. */
const placeText = ({ readAs }: CheckedCatalog, lines: string): string =>
  `${readAs.sheet === null ? 'line' : 'row'} ${lines}`;

const linesText = (plan: CheckedCatalog, { rows, firstLines }: RowsFound): string =>
  placeText(plan, `${firstLines.join(', ')}${rows > firstLines.length ? ' …' : ''}`);

const cutText = (plan: CheckedCatalog, found: RowsFound & { maxTokens: number }): string =>
  `${count(found.rows, 'row')} with a prompt of more than ${found.maxTokens} tokens, whose end the model does not see: ${linesText(plan, found)}`;

function cleanedText(plan: CheckedCatalog, cleaned: NonNullable<CheckedCatalog['cleanedPrompts']>): string {
  const [first] = cleaned.changes;
  const example =
    first === undefined
      ? ''
      : `, as in ${placeText(plan, String(first.line))}: ${shown(first.before)} is read as ${shown(first.after)}`;
  return `${count(cleaned.rows, 'row')} with a prompt that loses words in cleaning${example}; plan --json lists them`;
}

const marksText = (plan: CheckedCatalog): string =>
  `${count(plan.marks.rows, 'row')} with emphasis, tags or flags of other tools, such as ${shown(plan.marks.example ?? '')}, which are plain text here: ${linesText(plan, plan.marks)}`;

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
