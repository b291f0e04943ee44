import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';

/** The CPU flags that decide how fast a processor multiplies matrices. */
const TELLING_FLAGS = [
  ...['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'avx512_bf16', 'amx_bf16', 'amx_int8'],
  ...['asimddp', 'i8mm', 'bf16'],
];

/** Beside package.json in a copy without Git's history. Such a copy may be inside another repository. */
export const COMMIT_FILE = '.commit';

const PAGES = '/sys/kernel/mm/transparent_hugepage/enabled';

/**
 * The facts needed to compare figures of different machines, one line each: processor, flags, memory, pages, versions,
 * load.
 */
export function machine(): string[] {
  return [
    `processor: ${processor()}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `flags: ${flags().join(' ') || 'not known'}`,
    `pages of 2 MB (${PAGES}): ${read(PAGES).trim() || 'not known'}; our renderers use them, peers only if a line says so`,
    `versions: Node ${process.version}, onnxruntime-node ${onnxruntimeVersion()}, commit ${commit()}`,
    `date: ${new Date().toISOString()}, load of the last minute: ${loadavg()[0]!.toFixed(1)}`,
  ];
}

function processor(): string {
  const [family, model] = ['cpu family', 'model'].map((name) => field(name));
  const numbers = family === undefined ? '' : ` (family ${family}, model ${model})`;
  return `${cpus()[0]?.model.trim() || 'unknown'}${numbers}`;
}

function flags(): string[] {
  const told = new Set((field('flags') ?? field('Features') ?? '').split(/\s+/));
  return TELLING_FLAGS.filter((flag) => told.has(flag));
}

/** A field of the first processor in /proc/cpuinfo. */
function field(name: string): string | undefined {
  return new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(read('/proc/cpuinfo'))?.[1];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // Only Linux has the system's files.
    return '';
  }
}

function onnxruntimeVersion(): string {
  const file = new URL('../../node_modules/onnxruntime-node/package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** The commit of this program; from COMMIT_FILE in a copy that has one. */
export function commit(): string {
  const copied = read(path.join(import.meta.dirname, '../..', COMMIT_FILE));
  if (copied !== '') return copied;
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return 'not known';
  }
}
