import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../../infra/build/kept-build.mjs';

/** A version of the product: a folder with its sources and packages. */
export type Checkout = { name: string; folder: string; remove(): void };

/** The checkout that this script belongs to. */
export const thisCheckout = (): Checkout => ({ name: 'this checkout', folder: ROOT, remove() {} });

/**
 * A commit in a git worktree below `parent`. Shares this checkout's packages if both locks list the same ones;
 * otherwise installs its own.
 *
 * @throws Error if git does not know the commit, or npm cannot install
 */
export async function checkoutOf(commit: string, parent: string): Promise<Checkout> {
  const folder = path.join(parent, commit);
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  git('worktree', 'add', '--quiet', '--detach', folder, commit);
  if (packagesOf(folder) === packagesOf(ROOT)) {
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  } else {
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  return { name: commit, folder, remove: () => git('worktree', 'remove', '--force', folder) };
}

/** The whole lock, except the entry of the project itself. */
function packagesOf(folder: string): string {
  const { packages } = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8'));
  const { dependencies, devDependencies } = packages[''];
  return JSON.stringify({ ...packages, '': { dependencies, devDependencies } });
}
