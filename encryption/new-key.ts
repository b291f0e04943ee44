import { generateKeySync } from 'node:crypto';
import { open } from 'node:fs/promises';
import { UserError } from '../domain/user-error.ts';
import { type EncryptionKey, encryptionKey, KEY_BYTES, keyLine, keyringOf } from './keyring.ts';

/** A random key, by default named after today's date. */
export const newKey = (name = new Date().toISOString().slice(0, 10)): EncryptionKey =>
  encryptionKey(name, generateKeySync('aes', { length: KEY_BYTES * 8 }));

/**
 * Adds a key to a file of keys, creating the file for its owner only if needed. The key goes last: every process must
 * know it before any encrypts with it.
 *
 * @returns whether it is the only key, and so the current one
 * @throws UserError if the file cannot be written, or contains something other than keys
 */
export async function addKey(path: string, key: EncryptionKey): Promise<{ isOnly: boolean }> {
  const file = await open(path, 'a+', 0o600).catch((error) => {
    throw new UserError(
      `--file ${path}: expected a writable file, or a folder where one can be created (${error.message})`,
    );
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
