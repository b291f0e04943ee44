import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';
import { type Keyring, keyringOf } from './keyring.ts';
import { readPrivateFile } from './private-file.ts';

const FILE = 'PIXART_ENCRYPTION_KEY_FILE';
const KEYS = 'PIXART_ENCRYPTION_KEYS';
const COMMAND = 'PIXART_ENCRYPTION_KEY_COMMAND';

const LONGEST_BYTES = 65_536;

/** Long, because a key service works over the network, and may need somebody's approval first. */
const COMMAND_MS = 60_000;

/**
 * The encryption keys from the environment: in a file (`PIXART_ENCRYPTION_KEY_FILE`), directly
 * (`PIXART_ENCRYPTION_KEYS`, separated by commas or line ends), or printed by a command
 * (`PIXART_ENCRYPTION_KEY_COMMAND`), such as one that has Cloud KMS unwrap them. `null` if there are none: nothing is
 * encrypted then.
 *
 * @throws UserError if two of these are set, a file is accessible to others, a command fails, or the text is not keys
 */
export async function readKeyring(env: NodeJS.ProcessEnv = process.env): Promise<Keyring | null> {
  const given = [FILE, KEYS, COMMAND].filter((name) => env[name]?.trim());
  const [source] = given;
  if (source === undefined) return null;
  if (given.length > 1)
    throw new UserError(`expected the encryption keys in one place, found ${given.join(' and ')}; unset all but one`);
  const value = env[source]!.trim();
  if (source === FILE) return keyringOf(await readPrivateFile(value, FILE, 'keys'), `${FILE}, ${value}`);
  if (source === COMMAND) return keyringOf(await printedBy(value, env), `what ${COMMAND} prints`);
  return keyringOf(value.replaceAll(',', '\n'), KEYS);
}

/**
 * Runs the command in our own environment, which may have its credentials. Its output may contain keys, so errors quote
 * stderr only.
 */
async function printedBy(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return (await promisify(exec)(command, { env, timeout: COMMAND_MS, maxBuffer: LONGEST_BYTES })).stdout;
  } catch (error) {
    const { code, killed, stderr = '' } = error as { code?: number | string; killed?: boolean; stderr?: string };
    const how = killed ? `no end within ${COMMAND_MS / 1000} seconds` : `exit code ${code}`;
    const said = withoutSecrets(stderr.trim().split('\n').at(-1) ?? '').slice(0, 500);
    throw new UserError(`${COMMAND}: expected it to print encryption keys, found ${how}${said && ` (${said})`}`);
  }
}
