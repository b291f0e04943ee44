import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { ROOT } from '../bench/real-bundle.ts';

/** Our programs that run on the machine with the GPU. */
const PROGRAMS = ['benchmarks/gpu.ts', 'models/renderer/child.ts'];

/** What runs TypeScript there. */
const RUNNERS = ['tsx'];

type PackageJson = Partial<Record<'dependencies' | 'optionalDependencies', Record<string, string>>>;

/** The folders below node_modules that these programs need, as npm installed them for this machine's platform. */
export async function neededPackages(): Promise<string[]> {
  const found = new Set<string>();
  const add = (name: string, from: string): void => {
    const folder = packageFolder(name, from);
    // An optional one of another platform.
    if (folder === undefined || found.has(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies } = readJson(path.join(folder, 'package.json'));
    for (const needed of Object.keys({ ...dependencies, ...optionalDependencies })) add(needed, folder);
  };
  for (const name of [...RUNNERS, ...(await importedPackages())]) add(name, ROOT);
  return [...found].map((folder) => path.relative(ROOT, folder)).sort();
}

async function importedPackages(): Promise<string[]> {
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: PROGRAMS,
    outdir: 'unwritten',
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    metafile: true,
    write: false,
  });
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const names = imports.filter(({ external, path: name }) => external && !name.startsWith('node:'));
  return [...new Set(names.map(({ path: name }) => packageName(name)))];
}

const packageName = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Where Node finds a package: in the node_modules of the package that needs it, or of one that contains that. */
function packageFolder(name: string, from: string): string | undefined {
  for (let folder = from; folder.startsWith(ROOT); folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

const readJson = (file: string): PackageJson => JSON.parse(readFileSync(file, 'utf8')) as PackageJson;
