// Plain JavaScript: every process of ours begins here, and every program that imports us, because Node 20 reads no TypeScript
// (docs/decisions/005, 084).
import { readFile } from 'node:fs/promises';
import module from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { keptBuild, ROOT } from './kept-build.mjs';

const PROGRAMS = ['cli/main.ts', 'client/index.ts', 'models/renderer/child.ts'];

/** All that programs are made of; making them fails where it finds more. */
const SOURCES = [
  ...[
    'activities',
    'catalog',
    'cleaning',
    'cli',
    'client',
    'codec-server',
    'connection',
    'credentials',
    'domain',
    'encryption',
    'exporting',
    'forgetting',
    'images',
    'infra',
    'models/pixart',
    'models/renderer',
  ],
  ...['monitoring', 'pictures', 'records', 'review-page', 'store', 'workers', 'workflows'],
  ...['package.json', 'package-lock.json'],
];

/**
 * Runs a program and returns what its module exports.
 *
 * @template Exports
 * @param {string} source its first file, one of PROGRAMS
 * @returns {Promise<Exports>}
 */
export async function runProgram(source) {
  // Stack traces then name the sources.
  process.setSourceMapsEnabled(true);
  return importProgram(source);
}

/**
 * The same within somebody else's process, whose settings stay as they are.
 *
 * @template Exports
 * @param {string} source
 * @returns {Promise<Exports>}
 */
export async function importProgram(source) {
  const build = await keptBuild('programs', SOURCES, makePrograms);
  return import(pathToFileURL(path.join(build, source.replace(/\.ts$/, '.js'))).href);
}

/** @param {string} folder */
async function makePrograms(folder) {
  const esbuild = await import('esbuild');
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: PROGRAMS,
    outdir: folder,
    outbase: ROOT,
    bundle: true,
    // A verb loads what it needs and nothing else.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [packagesWhereTheyAre, modulesKnowTheirSource],
  });
  const missed = Object.keys(metafile.inputs).filter(
    (file) => !SOURCES.some((source) => file === source || file.startsWith(`${source}/`)),
  );
  if (missed.length > 0) throw new Error(`infra/build/program.mjs: add to SOURCES what holds ${missed.join(', ')}`);
}

/**
 * Programs lie far from node_modules.
 *
 * @type {import('esbuild').Plugin}
 */
const packagesWhereTheyAre = {
  name: 'packages where they are',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path: name, kind }) => {
      if (kind === 'entry-point') return null;
      return { path: module.isBuiltin(name) ? name : import.meta.resolve(name), external: true };
    });
  },
};

/**
 * What stands beside a source is found beside it.
 *
 * @type {import('esbuild').Plugin}
 */
const modulesKnowTheirSource = {
  name: 'modules know their source',
  setup({ onLoad }) {
    onLoad({ filter: /\.(ts|mjs)$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      return {
        contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href)),
        loader: file.endsWith('.ts') ? 'ts' : 'js',
      };
    });
  },
};
