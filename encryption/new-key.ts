import { generateKeySync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';
import { type EncryptionKey, encryptionKey, KEY_BYTES, keyLine, keyringOf } from './keyring.ts';

/** A random key, called after the day. */
export const newKey = (name = new Date().toISOString().slice(0, 10)): EncryptionKey =>
  encryptionKey(name, generateKeySync('aes', { length: KEY_BYTES * 8 }));

/**
 * Adds a key to a file of keys, or makes the file, for its owner alone. It comes last: every process must know it before one encrypts
 * with it.
 *
 * @returns whether it is the only one, and so the current one
 * @throws UserError where the file cannot be written, or what it has in it are no keys
 */
export async function addKey(path: string, key: EncryptionKey): Promise<{ isOnly: boolean }> {
  const file = await open(path, 'a+', 0o600).catch((error) => {
    throw new UserError(`--file ${path}: expected a file to write a key into, or a place for one (${error.message})`);
  });
  try {
    const text = await file.readFile('utf8');
    const isOnly = text.trim() === '';
    if (!isOnly) keyringOf(text, path);
    await file.chmod(0o600);
    await file.appendFile(`${text === '' || text.endsWith('\n') ? '' : '\n'}${keyLine(key)}\n`);
    await file.sync();
    return { isOnly };
  } finally {
    await file.close();
  }
}
