import { UserError } from '../domain/user-error.ts';
import { readPrivateFile } from '../encryption/private-file.ts';

const TOKEN = 'PIXART_CODEC_TOKEN';
const FILE = 'PIXART_CODEC_TOKEN_FILE';

/** Nobody guesses 32 random characters, so attempts need not be limited. */
const SHORTEST = 32;

/**
 * The codec server's token from the environment, directly (`PIXART_CODEC_TOKEN`) or in a file
 * (`PIXART_CODEC_TOKEN_FILE`); `null` if there is none.
 *
 * @throws UserError if both are set, the file cannot be used, or the token is too short
 */
export async function readToken(env: NodeJS.ProcessEnv = process.env): Promise<string | null> {
  const [given, file] = [env[TOKEN]?.trim(), env[FILE]?.trim()];
  if (given && file)
    throw new UserError(`expected the codec server's token in one place, found ${TOKEN} and ${FILE}; unset one`);
  const token = file ? (await readPrivateFile(file, FILE, 'one token')).trim() : given;
  if (!token) return null;
  if (token.length >= SHORTEST && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(
    `${file ? FILE : TOKEN}: expected a token of at least ${SHORTEST} characters, in ASCII and without spaces, found another ` +
      `(${token.length} characters). ${HOW_TO_MAKE_A_TOKEN}`,
  );
}

export const HOW_TO_MAKE_A_TOKEN = 'Make one with "openssl rand -base64 32"';
