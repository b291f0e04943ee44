import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../domain/user-error.ts';
import { type Bundle, bundleFile } from './bundle.ts';

/**
 * Checks size and SHA-256 of every file that the bundle lists, in streams, so that no file has to fit into memory.
 *
 * @throws UserError that names every file that is missing or differs, with what was expected and found.
 */
export async function verifyBundle(bundle: Bundle): Promise<void> {
  const problems: string[] = [];
  for (const [name, expected] of Object.entries(bundle.description.files)) {
    const problem = await findProblem(bundleFile(bundle, name), expected);
    if (problem) problems.push(`  ${name}: ${problem}`);
  }
  if (problems.length === 0) return;
  throw new UserError(
    [
      `bundle ${bundle.description.name} in ${bundle.folder} is damaged:`,
      ...problems,
      'Copy these files from where the bundle came from, or export the bundle again.',
    ].join('\n'),
  );
}

async function findProblem(file: string, expected: { sha256: string; bytes: number }): Promise<string | null> {
  const found = await stat(file).catch(() => null);
  if (!found?.isFile()) return 'expected a file, found none';
  if (found.size !== expected.bytes) return `expected ${expected.bytes} bytes, found ${found.size}`;
  const digest = await sha256(file);
  return digest === expected.sha256 ? null : `expected SHA-256 ${expected.sha256}, found ${digest}`;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
