import type { ExpansionSettings } from '../../domain/catalog-settings.ts';
import type { Metadata } from '../../domain/metadata.ts';
import { type Column, GRID_COLUMNS, TEXT_COLUMNS } from '../../domain/parameters.ts';
import { contentId, suffixOf } from '../job-ids.ts';
import type { Problems } from '../problems.ts';
import { checkCell, type RawRow } from '../reading/raw-row.ts';
import { type Choice, choice, literal, sequence, type Texts, UNCOUNTABLE } from './choices.ts';
import { drawIndices } from './sample.ts';
import { parseTemplate, TemplateFault } from './template.ts';
import { type ReadTerms, Terms } from './terms.ts';

/** A row with no choices left, as if it had been written out by hand. */
export type ExpandedRow = {
  raw: RawRow;
  /** How many rows this one expands to in all. */
  siblings: number;
  /** Null if the row had no choices. */
  chosen: Chosen | null;
};

export type Chosen = {
  /** Distinguishes the images of one row in their names. */
  suffix: string;
  /** The row and its choices, as recorded in the manifest. */
  metadata: Metadata;
};

export type Expansion = Omit<ExpansionSettings, 'terms'> & { terms: Terms };

/** The settings with a reader for terms files; `undefined` without settings. */
export const openExpansion = (settings: ExpansionSettings | undefined, read: ReadTerms): Expansion | undefined =>
  settings && { ...settings, terms: new Terms(read, settings.terms) };

type ColumnTexts = { column: Column; texts: Texts };

/**
 * Makes a row's combinations, all or a sample, in a fixed order: the last choice of the last column varies fastest. They
 * are counted first: a row with too many, or with cells that cannot be read, is a problem and makes none.
 */
export async function* expandCells(raw: RawRow, expansion: Expansion, problems: Problems): AsyncGenerator<ExpandedRow> {
  const columns = await columnTexts(raw, expansion.terms, problems);
  if (columns === null) return;
  if (columns.length === 0) {
    yield { raw, siblings: 1, chosen: null };
    return;
  }
  // One index determines the choices in all columns.
  const count = sequence(columns.map(({ texts }) => texts)).count;
  const wanted = await wantedOf(raw, count, expansion, problems);
  if (wanted === null) return;
  const before = problems.total;
  const suffixes = new Map<string, number>();
  for (const index of wanted) {
    yield { ...combination(raw, columns, index, suffixes, problems), siblings: wanted.length };
    // A problem in one combination is usually in all of them.
    if (problems.total > before) return;
  }
}

/** The columns with choices; null if one of them cannot be read. */
async function columnTexts(raw: RawRow, terms: Terms, problems: Problems): Promise<ColumnTexts[] | null> {
  const before = problems.total;
  const found: ColumnTexts[] = [];
  for (const column of TEXT_COLUMNS) {
    const texts = await textsOf(raw, column, terms, problems);
    if (texts !== null) found.push({ column, texts });
  }
  for (const column of GRID_COLUMNS) {
    const parts = raw.values[column]?.split('|') ?? [];
    if (parts.length < 2) continue;
    const alternatives = parts.map((part) => literal(part.trim()));
    found.push({ column, texts: choice(column, alternatives) });
  }
  return problems.total > before ? null : found;
}

async function textsOf(raw: RawRow, column: Column, terms: Terms, problems: Problems): Promise<Texts | null> {
  const cell = raw.values[column];
  // Shortcut for most cells: they contain no special characters.
  if (cell === undefined || !/[\\{}_<$[|]/.test(cell)) return null;
  try {
    const template = parseTemplate(cell);
    return template.length === 1 && template[0] === cell ? null : await terms.textsOf(template);
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    const { expected, found } = error;
    problems.add({ line: raw.line, column: raw.columns.get(column)?.name ?? column, expected, found });
    return null;
  }
}

/** The indices of the combinations to make; null if there are too many. */
async function wantedOf(
  raw: RawRow,
  count: bigint,
  { sample, sampleSeed, maxPerRow }: Expansion,
  problems: Problems,
): Promise<bigint[] | null> {
  const counted = count >= UNCOUNTABLE ? 'more than can be counted' : count.toLocaleString('en');
  const report = (expected: string) => {
    problems.add({ line: raw.line, column: null, expected, found: counted });
    return null;
  };
  if (sample !== null) {
    if (count >= UNCOUNTABLE) return report('fewer combinations to sample from');
    return drawIndices(count, sample, `${sampleSeed} ${contentId(raw)}`);
  }
  if (count <= BigInt(maxPerRow)) return Array.from({ length: Number(count) }, (_, index) => BigInt(index));
  return report(`at most ${maxPerRow} combinations per row (--max-per-row), or a sample of them (--sample)`);
}

function combination(
  raw: RawRow,
  columns: readonly ColumnTexts[],
  index: bigint,
  suffixes: Map<string, number>,
  problems: Problems,
): Omit<ExpandedRow, 'siblings'> {
  const values = { ...raw.values };
  const chosen: Choice[][] = [];
  let rest = index;
  for (const { column, texts } of columns.toReversed()) {
    const { text, choices } = texts.at(rest % texts.count);
    rest /= texts.count;
    chosen.unshift(choices);
    const cell = choices.length > 0 ? tidy(text) : text;
    if (cell === '') delete values[column];
    else values[column] = cell;
    checkCell(cell, raw.line, raw.columns.get(column)?.name ?? column, problems);
  }
  const choices = chosen.flat();
  const written = { ...raw, values };
  // Only escapes, no choices.
  if (choices.length === 0) return { raw: written, chosen: null };
  const name = suffixOf(choices.map(({ text }) => text));
  const occurrence = (suffixes.get(name) ?? 0) + 1;
  suffixes.set(name, occurrence);
  const suffix = occurrence === 1 ? name : `${name}_${occurrence}`;
  return { raw: written, chosen: { suffix, metadata: chosenMetadata(raw, choices) } };
}

/** An empty alternative leaves two spaces in a row. */
const tidy = (text: string): string => text.replaceAll(/ {2,}/g, ' ').trim();

/** An image's origin for the manifest: the row and its choices. */
function chosenMetadata(raw: RawRow, choices: readonly Choice[]): Metadata {
  const entries: [string, string][] = [['choice:row', raw.values.id ?? `line ${raw.line}`]];
  const seen = new Map<string, number>();
  let braces = 0;
  for (const { label, text } of choices) {
    if (label === null) braces += 1;
    const name = label ?? String(braces);
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    entries.push([`choice:${name}${occurrence === 1 ? '' : `.${occurrence}`}`, text]);
  }
  return Object.fromEntries(entries);
}
