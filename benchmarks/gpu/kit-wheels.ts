import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Installs packages of a lock file into a folder, by their digests, as another machine needs them.
 *
 * @param isWanted which of the lock's packages to install
 * @param python the version there, such as 3.12
 * @throws Error if pip fails
 */
export async function installWheels(
  lock: string,
  isWanted: (name: string) => boolean,
  { target, python }: { target: string; python: string },
): Promise<void> {
  await mkdir(target, { recursive: true });
  const wanted = path.join(target, 'wanted.lock');
  await writeFile(wanted, lockOf(await readFile(lock, 'utf8'), isWanted));
  const platforms = ['manylinux_2_28_x86_64', 'manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'];
  const { status } = spawnSync(
    'python3',
    [
      ...[
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--require-hashes',
        '--no-deps',
        '--no-compile',
      ],
      ...['--only-binary=:all:', '--implementation', 'cp', '--python-version', python],
      ...platforms.flatMap((platform) => ['--platform', platform]),
      ...['--target', target, '--requirement', wanted],
    ],
    { stdio: ['ignore', 2, 2] },
  );
  await rm(wanted);
  if (status !== 0) throw new Error(`pip exited with code ${status}, for ${lock}`);
}

/** The entries of some packages in a lock file, with their digests. */
export function lockOf(lock: string, isWanted: (name: string) => boolean): string {
  return entriesOf(lock)
    .filter((entry) => isWanted(nameOf(entry)))
    .join('');
}

/** A package of a lock file and all that it needs there. The file's comments say which package needs which. */
export function neededBy(lock: string, name: string): Set<string> {
  const needs = entriesOf(lock).map((entry) => ({ package: nameOf(entry), by: needersOf(entry) }));
  const found = new Set([name]);
  // The set grows while this loop runs, and the loop reaches what is added.
  for (const each of found) for (const need of needs) if (need.by.includes(each)) found.add(need.package);
  return found;
}

/** After "# via", on that line or on those below. */
const needersOf = (entry: string): string[] =>
  [...entry.matchAll(/^ {4}#(?: via)? +([\w.-]+)$/gm)].map(([, needer]) => needer!);

const entriesOf = (lock: string): string[] => lock.split(/^(?=[\w.-]+==)/m).filter((entry) => /^[\w.-]+==/.test(entry));

const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('=='));
