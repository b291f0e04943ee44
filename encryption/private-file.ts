import { open } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';

const LONGEST_BYTES = 65_536;
const OTHERS = 0o077;

/**
 * The text of a file of secrets, which is its owner's alone.
 *
 * @param named where its path stands, such as a variable, for messages
 * @param holds what the file is of, such as `keys`
 * @throws UserError where it cannot be read, is open to others, or is too long
 */
export async function readPrivateFile(path: string, named: string, holds: string): Promise<string> {
  const file = await open(path).catch((error) => {
    throw new UserError(
      `${named}: expected a file of ${holds} at ${path}, found none that can be read (${error.code ?? error.message})`,
    );
  });
  try {
    const { mode, size } = await file.stat();
    if ((mode & OTHERS) !== 0) {
      throw new UserError(
        `${named}: expected ${path} to be its owner's alone, found mode ${(mode & 0o777).toString(8)}: run "chmod 600 ${path}"`,
      );
    }
    if (size > LONGEST_BYTES)
      throw new UserError(`${named}: expected ${holds} in ${path}, found a file of ${size} bytes`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
