import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { oneAtATime, runStep, SetUpError } from './steps.mjs';

/**
 * Unpacks a program that only tests use from an npm package that is too large for a dependency. It is built once in a
 * temporary folder and moved into place when complete.
 *
 * @param {string} folder where it stays between runs
 * @param {{ spec: string, sha512: string }} npmPackage name and version, and its archive's digest
 * @param {(unpacked: string, ready: string) => Promise<void> | void} make puts the files to keep into the folder
 * `ready`
 * @throws {SetUpError} if the package cannot be fetched, or its digest differs
 */
export async function ensureFromPackage(folder, { spec, sha512 }, make) {
  await oneAtATime(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const temporary = mkdtempSync(join(dirname(folder), '.package-'));
    try {
      const pack = ['pack', spec, '--pack-destination', temporary, '--no-update-notifier'];
      await runStep(`downloading ${spec}`, 'npm', pack, { env: childEnvironment('npm') });
      const archive = join(temporary, readdirSync(temporary)[0] ?? '');
      const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
      if (found !== sha512) throw new SetUpError(`${spec}: expected the SHA-512 ${sha512}, found ${found}`);
      await runStep(`unpacking ${spec}`, 'tar', ['-xzf', archive, '-C', temporary]);
      const ready = join(temporary, 'ready');
      mkdirSync(ready);
      await make(join(temporary, 'package'), ready);
      renameSync(ready, folder);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  });
}
