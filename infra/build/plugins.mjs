// Plain JavaScript, like program.mjs. Tells esbuild how to treat our modules and packages.
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire, isBuiltin } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

/**
 * Bundled into the programs: loaded as a package, it brings its messages in forty languages, which takes a tenth of a
 * second.
 */
const HELD = ['zod'];

/**
 * Loads a package when the program reaches a module that uses it, and not at the start, as Node does for `import`.
 *
 * @param {{ require: (name: string) => string, import: (name: string) => string }} told what to pass to each for a
 * package
 * @returns {import('esbuild').Plugin}
 */
export const packagesWhenUsed = (told) => ({
  name: 'packages when used',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^[^.]/ }, ({ path: name, kind, namespace, importer }) => {
      if (namespace === LATE) return { path: name, external: true };
      const isOurs = kind === 'entry-point' || path.isAbsolute(name);
      if (isOurs || isOfPackage(importer) || HELD.includes(name)) return null;
      if (isBuiltin(name)) return { path: name, external: true };
      if (kind === 'dynamic-import') return { path: told.import(name), external: true };
      return { path: name, namespace: LATE };
    });
    onLoad({ filter: /.*/, namespace: LATE }, async ({ path: name }) => {
      if (isCommonJs(name)) return { contents: `module.exports = require(${JSON.stringify(told.require(name))});` };
      // Node 23 and later also export `module.exports`, under this name (seen with 24.22).
      const names = Object.keys(await import(name)).filter(
        (exported) => !['default', 'module.exports'].includes(exported),
      );
      const contents = [
        `const all = await import(${JSON.stringify(told.import(name))});`,
        'export default all.default;',
        `export const { ${names.join(', ')} } = all;`,
      ];
      return { contents: contents.join('\n') };
    });
  },
});

const LATE = 'late';

/** @param {string} file */
const isOfPackage = (file) => file.includes(`${path.sep}node_modules${path.sep}`);

/**
 * Whether `require` can load it in Node 20.
 *
 * @param {string} name
 */
function isCommonJs(name) {
  /** @type {string} */
  let file;
  try {
    file = require.resolve(name);
  } catch (error) {
    const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
    // numfmt 4.0.1 names a file for `require` that does not exist: only `import` finds it.
    if (['ERR_PACKAGE_PATH_NOT_EXPORTED', 'MODULE_NOT_FOUND'].includes(code)) return false;
    throw error;
  }
  if (/\.[cm]js$/.test(file)) return file.endsWith('.cjs');
  let folder = path.dirname(file);
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')).type !== 'module';
}

/**
 * Resolves a file beside a source relative to that source. Looks through each `index.ts`: names are imported from the
 * file that defines them, because importing one name from the index would load them all. zod gets the same treatment,
 * so that its unused parts are left out.
 *
 * @param {(file: string) => string} urlOf the JavaScript expression for a source's URL
 * @returns {import('esbuild').Plugin}
 */
export const modulesKnowTheirSource = (urlOf) => ({
  name: 'modules know their source',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path: file }) => {
      if (isOfPackage(file)) return null;
      const source = await readFile(file, 'utf8');
      return {
        contents: throughIndexes(source, file)
          .replaceAll("import { z } from 'zod'", "import * as z from 'zod'")
          .replaceAll('import.meta.url', urlOf(file)),
        loader: file.endsWith('.ts') ? 'ts' : 'js',
      };
    });
  },
});

/**
 * @param {string} source
 * @param {string} file
 */
function throughIndexes(source, file) {
  return source.replaceAll(/^import \{([^}]*)\} from '(\.[^']*\/index\.ts)';/gm, (statement, names, index) => {
    const target = path.resolve(path.dirname(file), index);
    const imports = namesOf(names).map(({ text, name }) => `import { ${text} } from '${originOf(target, name)}';`);
    // Keeps the line numbers of stack traces.
    return imports.join(' ') + '\n'.repeat(statement.split('\n').length - 1);
  });
}

/** @param {string} list the text between braces: `a, b as c, type D` */
const namesOf = (list) =>
  list
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('type '))
    .map((text) => ({ text, name: text.split(' ')[0] ?? '' }));

/**
 * The file that defines what an index exports under a name.
 *
 * @param {string} index
 * @param {string} name
 * @returns {string}
 */
function originOf(index, name) {
  if (path.basename(index) !== 'index.ts') return index;
  const exports = [...readFileSync(index, 'utf8').matchAll(/^export (?:\*|\{([^}]*)\}) from '(\.[^']*)';/gm)];
  const [, , from] =
    exports.find(([, names]) => namesOf(names ?? '').some(({ text }) => text === name)) ??
    exports.find(([, names]) => names === undefined) ??
    [];
  return from === undefined ? index : originOf(path.resolve(path.dirname(index), from), name);
}
