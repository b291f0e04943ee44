import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

/** Which files each file imports, as paths from the root with `/`. */
export type ImportGraph = Map<string, Set<string>>;

const { resolve } = createRequire(import.meta.url);
const TSC = path.join(path.dirname(resolve('typescript/package.json')), 'bin', 'tsc');

/**
 * The imports of all files of TypeScript projects, as the compiler itself resolves them: of values and of types, in
 * `import`, `export … from`, `import()` and JSDoc (docs/decisions/006).
 *
 * @param projects folders with a `tsconfig.json`, from the root
 */
export async function importGraph(root: string, projects: string[]): Promise<ImportGraph> {
  const graph: ImportGraph = new Map();
  for (const text of await Promise.all(projects.map((project) => explainedFiles(root, project)))) addFiles(graph, text);
  return graph;
}

/** tsc's list of the files it read: each with indented lines below that say why. */
async function explainedFiles(root: string, project: string): Promise<string> {
  const args = [TSC, '-p', project, '--noEmit', '--noCheck', '--incremental', 'false', '--explainFiles'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 2 ** 26 });
  return stdout;
}

function addFiles(graph: ImportGraph, text: string): void {
  let file = '';
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith(' ')) file = line;
    if (!isOurs(file)) continue;
    graph.set(file, graph.get(file) ?? new Set());
    const importer = /^ +Imported via .+ from file '(.+?)'/.exec(line)?.[1];
    if (importer === undefined || !isOurs(importer)) continue;
    graph.set(importer, (graph.get(importer) ?? new Set()).add(file));
  }
}

const isOurs = (file: string): boolean => /\.(ts|mjs)$/.test(file) && !/^\.\.|node_modules\//.test(file);
