import { parseArgs } from 'node:util';
import { UserError } from '../../domain/user-error.ts';

/** The exit code for wrong options, and for anything else that the user has to fix. */
const MISUSED = 2;

/**
 * Node's `parseArgs`, with errors for people.
 *
 * @throws UserError for unknown or malformed options
 */
export const parseOptions: typeof parseArgs = (config) => {
  try {
    return parseArgs(config);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error;
    throw new UserError(`${message}\nSee --help.`);
  }
};

/** Sets the exit code of a program: the one that it returns, or that of misuse, with a message in place of a stack. */
export async function runProgram(program: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await program();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    process.exitCode = MISUSED;
  }
}
