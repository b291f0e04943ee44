import type { ImportGraph } from './import-graph.ts';

/** A folder of CONTRIBUTING's table and the folders or files that it may import besides itself. */
export type ImportRule = { folder: string; mayImport: string[] | 'everything' };

/**
 * The table of CONTRIBUTING.md whose last column is "may import".
 *
 * @throws Error where a row cannot be read as a rule
 */
export function importRules(markdown: string): ImportRule[] {
  const lines = markdown.split('\n');
  const heading = lines.findIndex((line) => /^\|.*\| may import +\|$/.test(line));
  const end = lines.findIndex((line, at) => at > heading && !line.startsWith('|'));
  const rows = heading < 0 ? [] : lines.slice(heading + 2, end);
  if (rows.length === 0) throw new Error('expected a table with a column "may import", found none');
  return rows.flatMap((row) => {
    const cells = row.split('|').map((cell) => cell.trim());
    return named(cells[1]!).map((folder) => ({ folder, mayImport: mayImport(cells.at(-2)!) }));
  });
}

function mayImport(cell: string): string[] | 'everything' {
  if (cell === 'everything') return cell;
  return cell === 'nothing' ? [] : named(cell);
}

/** `a/`, `b/c.ts` in Markdown. A trailing slash is left out. */
function named(cell: string): string[] {
  if (!/^`[^`]+`(, `[^`]+`)*$/.test(cell)) {
    throw new Error(`expected "everything", "nothing", or names in backticks with commas between them, found: ${cell}`);
  }
  return [...cell.matchAll(/`([^`]+?)\/?`/g)].map((match) => match[1]!);
}

/** A sentence for each import that no rule allows, and for each file that no rule is about. */
export function breaches(graph: ImportGraph, rules: ImportRule[]): string[] {
  const innermostFirst = rules.toSorted((a, b) => b.folder.length - a.folder.length);
  const ruleOf = (file: string) => innermostFirst.find(({ folder }) => isIn(folder, file));
  return [...graph].flatMap(([file, imports]) => {
    const rule = ruleOf(file);
    if (rule === undefined) return [`${file} is in no folder of CONTRIBUTING's table`];
    return [...imports]
      .filter((target) => !isAllowed(rule, target, ruleOf(target)))
      .map((target) => `${file} imports ${target}: ${sentence(rule)}`);
  });
}

/** A folder that is allowed does not bring along the folders in it that have a rule of their own. */
function isAllowed({ folder, mayImport }: ImportRule, target: string, of: ImportRule | undefined): boolean {
  if (mayImport === 'everything' || of?.folder === folder) return true;
  return mayImport.some((allowed) => isIn(allowed, target) && (of === undefined || of.folder.length <= allowed.length));
}

const isIn = (folder: string, file: string): boolean => file === folder || file.startsWith(`${folder}/`);

const sentence = ({ folder, mayImport }: ImportRule): string =>
  `${folder} may import ${mayImport.length === 0 ? 'nothing' : [mayImport].flat().join(', ')}`;

/** Files that import each other in a circle: a sentence for each circle that a walk meets. */
export function circles(graph: ImportGraph): string[] {
  const found: string[] = [];
  const left = new Set<string>();
  const walk = (file: string, way: string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) found.push(`${[...way.slice(start), file].join(' imports ')}: no import goes in a circle`);
    if (start >= 0 || left.has(file)) return;
    for (const target of graph.get(file) ?? []) walk(target, [...way, file]);
    left.add(file);
  };
  for (const file of graph.keys()) walk(file, []);
  return found;
}
