import { open } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';

const LONGEST_BYTES = 65_536;
const OTHERS = 0o077;

/**
 * Reads a file of secrets, which must be accessible to its owner only.
 *
 * @param named the option or variable that has its path, for messages
 * @param holds what the file contains, such as `keys`
 * @throws UserError if it cannot be read, is accessible to others, or is too long
 */
export async function readPrivateFile(path: string, named: string, holds: string): Promise<string> {
  const file = await open(path).catch((error) => {
    throw new UserError(
      `${named}: expected a readable file of ${holds} at ${path}, found none (${error.code ?? error.message})`,
    );
  });
  try {
    const { mode, size } = await file.stat();
    if ((mode & OTHERS) !== 0) {
      throw new UserError(
        `${named}: expected ${path} to be accessible to its owner only, found mode ${(mode & 0o777).toString(8)}: run "chmod 600 ${path}"`,
      );
    }
    if (size > LONGEST_BYTES)
      throw new UserError(`${named}: expected ${holds} in ${path}, found a file of ${size} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
