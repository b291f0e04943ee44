// Plain JavaScript: every process starts here, and so does every program that imports us, because Node 20 reads no
// TypeScript (docs/decisions/005, 084, 127).
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { keptBuild, ROOT } from './kept-build.mjs';

const PROGRAMS = ['cli/main.ts', 'client/index.ts', 'models/renderer/child.ts'];

/** Everything that programs are built from; the build fails if it finds more. */
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
 * @param {{ isTraced?: boolean }} [options]
 * @returns {Promise<Exports>}
 */
export async function runProgram(source, { isTraced = true } = {}) {
  // Makes stack traces name the sources; reading the maps takes a seventh of the start.
  process.setSourceMapsEnabled(isTraced);
  return importProgram(source);
}

/**
 * The same inside another program's process, whose settings stay as they are.
 *
 * @template Exports
 * @param {string} source
 * @returns {Promise<Exports>}
 */
export async function importProgram(source) {
  const build = await keptBuild('programs', SOURCES, makePrograms);
  return import(pathToFileURL(path.join(build, `${path.basename(source, '.ts')}.mjs`)).href);
}

/**
 * Builds one file for each program, which runs only the modules that it reaches.
 *
 * @param {string} folder
 * @param {string} [home] the folder of the project, or of a copy of what it needs, in which `folder` is. Then the programs
 *   run wherever it is moved to; by default, only beside this project.
 */
export async function makePrograms(folder, home) {
  const [esbuild, { modulesKnowTheirSource, packagesWhenUsed }] = await Promise.all([
    import('esbuild'),
    import('./plugins.mjs'),
  ]);
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: PROGRAMS,
    outdir: folder,
    entryNames: '[name]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import { createRequire as forPackages } from 'node:module';\nconst require = forPackages(import.meta.url);",
    },
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    plugins: [
      // Programs are stored far from node_modules.
      packagesWhenUsed(
        home !== undefined
          ? { require: (name) => name, import: (name) => name }
          : { require: createRequire(import.meta.url).resolve, import: import.meta.resolve },
      ),
      modulesKnowTheirSource((file) =>
        home !== undefined
          ? `new URL(${JSON.stringify(path.relative(folder, path.join(home, path.relative(ROOT, file))))}, import.meta.url).href`
          : JSON.stringify(pathToFileURL(file).href),
      ),
    ],
  });
  const missed = Object.keys(metafile.inputs).filter(
    (file) =>
      !/^(late:|node_modules\/)/.test(file) &&
      !SOURCES.some((source) => file === source || file.startsWith(`${source}/`)),
  );
  if (missed.length > 0)
    throw new Error(`infra/build/program.mjs: add the folder or file of ${missed.join(', ')} to SOURCES`);
}
