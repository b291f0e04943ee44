import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { ID_RULE } from '../../domain/job-id.ts';
import { byColumn, COLUMNS, type Column, every, GRID_COLUMNS, TEXT_COLUMNS } from '../../domain/parameters.ts';
import { code, table } from './markdown.ts';

/** The meaning of an empty cell, which its schema cannot state if the batch or the bundle decides it. */
const WHEN_EMPTY: Record<Column, string> = {
  id: "derived from the row's content",
  prompt: 'an error',
  negative_prompt: 'none',
  size: '`--size`, or the smallest size of the bundle',
  aspect: '1:1',
  width: 'the width of the nearest bin',
  height: 'the height of the nearest bin',
  seed: 'derived from the prompt',
  steps: "the bundle's default",
  guidance: "the bundle's default; 1 turns guidance off",
  variants: '1',
  priority: '3, from 1 (first) to 5 (last)',
};

const cells = byColumn(every('cell'));
const options = byColumn(every('option')) as Partial<Record<Column, object>>;

/** Not a number, size or ratio, so each schema reports what it expects. */
const NO_VALUE = '?';

function valuesOf(column: Column): string {
  if (column === 'id') return ID_RULE;
  if (TEXT_COLUMNS.includes(column))
    return `text of at most ${CATALOG_LIMITS.cellCharacters.toLocaleString('en')} characters`;
  return cells[column].safeParse(NO_VALUE).error!.issues[0]!.message;
}

const choicesOf = (column: Column): string =>
  TEXT_COLUMNS.includes(column) ? '`{a|b}`, `__terms__`' : GRID_COLUMNS.includes(column) ? '`a|b`' : '';

const optionOf = (column: Column): string => (column in options ? code(`--${column.replaceAll('_', '-')}`) : '');

/** The columns of a catalog, and their values. */
export const columnsPage = (): string => `# Catalog columns

Any other column is carried along to the manifest. [catalog.md](../catalog.md) describes formats, ids, seeds, choices and limits.

${table(
  ['column', 'values', 'empty cell', 'choices with `--expand`', 'option of `render`'],
  COLUMNS.map((column) => [code(column), valuesOf(column), WHEN_EMPTY[column], choicesOf(column), optionOf(column)]),
)}

\`width\` and \`height\` go together, and not beside \`aspect\`; they are at most twice those of the bin. \`size\` must be one that
the bundle serves, and \`steps\` no more than its sampler allows.
`;
