import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../..');

/** The path of the real checkpoint's bundle in a scratch folder. */
export const realBundle = (scratch: string, profile: string): string => path.join(scratch, `real-${profile}`);

/** The command that makes a bundle for 256 and 512 px, as a person types it. */
export const exportCommand = (checkpoint: string, bundle: string, profile: string): string[] => [
  ...[path.join(ROOT, 'models/python.sh'), '-m', 'export', checkpoint, bundle, '--for', profile],
  ...['--size', '256', '--size', '512', '--name', `real-${profile}`, '--license', 'none', '--source', 'random weights'],
];

/**
 * The bundle, exported first if it does not exist.
 *
 * @throws Error if the export fails
 */
export function madeRealBundle(checkpoint: string, scratch: string, profile: string): string {
  const bundle = realBundle(scratch, profile);
  if (existsSync(bundle)) return bundle;
  const [program, ...args] = exportCommand(checkpoint, bundle, profile);
  const { status } = spawnSync(program!, args, { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`the export exited with code ${status}`);
  return bundle;
}
