import { COLUMNS, type Column } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import { DASHED_FLAG } from '../notes/prompt-marks.ts';
import type { Problems } from '../problems.ts';
import type { ColumnMap } from './columns.ts';
import { foldedName } from './folded-name.ts';
import { foreignMeaning } from './foreign-columns.ts';
import { type Flag, splitFlags } from './prompt-flags.ts';
import { type RawRow, toRawRow } from './raw-row.ts';
import { tsvRecords } from './tsv.ts';

/**
 * Reads one prompt per line, bare or with flags of other tools: `--prompt "a fox" --steps 20` (AUTOMATIC1111,
 * scripts/prompts_from_file.py) or `a fox --ar 16:9 --no trees` (Midjourney). Empty lines and lines that begin with "# " are
 * ignored. Quotes that a spreadsheet added are removed.
 * @throws CatalogError for a file that is a table or JSON
 */
export async function* promptRows(text: AsyncIterable<string>, problems: Problems): AsyncGenerator<RawRow> {
  let isFirst = true;
  for await (const { line, cells } of tsvRecords(text, problems)) {
    const whole = cells.join('\t').trim();
    if (isFirst) checkIsList(whole, line, problems);
    isFirst = false;
    if (/^#+(\s|$)/.test(whole)) continue;
    const fault = faultOf(whole);
    if (fault !== null) problems.add({ line, column: null, ...fault, found: quoted(whole) });
    const row = fault === null ? rowOf(whole, line, problems) : null;
    if (row !== null) yield row;
  }
}

/** Refuses tables and JSON: otherwise a header would be drawn as a prompt. */
function checkIsList(first: string, line: number, problems: Problems): void {
  const separator = /[\t;,|]/.exec(first)?.[0];
  const names =
    separator === undefined ? [first] : first.split(separator).map((name) => name.replaceAll('"', '').trim());
  const isHeader = names.some((name) => name.toLowerCase() === 'prompt') && names.every((name) => name.length < 40);
  const advice = /^(\{\s*"|\[\s*["{]|[[{]$)/.test(first)
    ? 'for JSON, write one object per line and use --catalog-format jsonl'
    : isHeader
      ? `read it with --catalog-format ${separator === '\t' ? 'tsv' : 'csv'}`
      : null;
  if (advice === null) return;
  throw problems.fatal({ line, column: null, expected: 'one prompt per line', found: `${quoted(first)}; ${advice}` });
}

/** Lines found in such files that are not prompts. */
function faultOf(line: string): { expected: string } | null {
  if (line.startsWith('#')) return { expected: 'a prompt, or "# " before a comment' };
  if (line.includes('\t')) return { expected: 'a prompt without tabs; for a table use --catalog-format tsv' };
  if (/^((positive|negative)( prompt)?:|prompt:|steps: \d+,)/i.test(line)) {
    return { expected: 'all of a row on one line, as in --prompt "a fox" --negative_prompt "blurry" --steps 20' };
  }
  const dashed = DASHED_FLAG.exec(line)?.[0].trim();
  if (dashed !== undefined)
    return { expected: `two hyphens before the name of a flag instead of the dash in ${dashed}` };
  return null;
}

function rowOf(text: string, line: number, problems: Problems): RawRow | null {
  const { bare, flags, fault } = splitFlags(text);
  const before = problems.total;
  if (fault !== null) problems.add({ line, column: null, ...fault });
  const all: Flag[] = bare === '' ? flags : [{ name: 'prompt', written: 'prompt', value: bare }, ...flags];
  const columns = columnsOf(all, line, problems);
  if (!columns.known.has('prompt')) {
    problems.add({ line, column: 'prompt', expected: 'a prompt before the flags, or after --prompt', found: 'none' });
  }
  if (problems.total > before) return null;
  return toRawRow(
    line,
    // A flag may have no value.
    all.map(({ value }) => value || 'true'),
    columns,
    problems,
  );
}

/** Treats the flags of a line as the columns of a table. */
function columnsOf(flags: readonly Flag[], line: number, problems: Problems): ColumnMap {
  const known = new Map<Column, { position: number; name: string }>();
  const metadata: { position: number; name: string }[] = [];
  for (const [position, { name, written, value }] of flags.entries()) {
    const report = (expected: string, found: string) => problems.add({ line, column: written, expected, found });
    const meaning = meaningOf(name);
    const place = { position, name: written };
    const before = meaning?.column && known.get(meaning.column);
    if (meaning === undefined) report('a flag of ours, of AUTOMATIC1111 or of Midjourney', 'none of them');
    else if (meaning.column === null) metadata.push({ position, name: isOther(name) ? written.toLowerCase() : name });
    else if (before) report(`either ${before.name} or ${written}`, 'both');
    else if (value === '') report('a value after it', 'none');
    else known.set(meaning.column, place);
  }
  const names = metadata.map(({ name }) => name);
  for (const twice of new Set(names.filter((name, index) => names.indexOf(name) < index))) {
    problems.add({ line, column: `--${twice.replace(/^--/, '')}`, expected: 'it only once', found: 'more' });
  }
  problems.noteColumns(names);
  return { known, metadata, unnamed: [], count: flags.length };
}

/** Midjourney's short names count only as flags: as column names they may mean anything. */
const SHORT: Record<string, Column> = { no: 'negative_prompt', r: 'variants' };

const WITHOUT_EFFECT = [
  // Midjourney.
  ...(
    's v q c w version raw niji stop hd fast relax turbo draft p sw cw ' +
    'ow oref sv exp profile personalize video motion loop stealth public test testp creative uplight upbeta hq'
  ).split(' '),
  // From scripts/prompts_from_file.py, about files and display.
  ...['outpath_samples', 'outpath_grids', 'prompt_for_display', 'do_not_save_samples', 'do_not_save_grid'],
];

/** Whether a flag has no effect here, and a name that may mean anything in a table; such a flag keeps its hyphens there. */
const isOther = (name: string): boolean => WITHOUT_EFFECT.includes(foldedName(name));

/** The column that a flag sets; `null` for one without effect here, `undefined` for an unknown one. */
function meaningOf(name: string): { column: Column | null } | undefined {
  const folded = foldedName(name);
  const own = COLUMNS.find((column) => column === folded);
  if (own !== undefined) return { column: own };
  if (isOther(name)) return { column: null };
  if (Object.hasOwn(SHORT, folded)) return { column: SHORT[folded]! };
  const meaning = foreignMeaning(name);
  if (meaning === undefined) return undefined;
  const [only, ...more] = meaning.meant;
  return more.length > 0 ? undefined : { column: only ?? null };
}
