import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { UserError } from '../domain/user-error.ts';

/**
 * An AES-256 key. Encrypted data names its key by id: the name that a person gave it plus a fingerprint of the key
 * itself, so that two keys with one name are distinguished before anything is decrypted with the wrong one.
 */
export type EncryptionKey = { readonly id: string; readonly name: string; readonly key: KeyObject };

/** The id reveals nothing about a key of 256 random bits. */
export function encryptionKey(name: string, key: KeyObject): EncryptionKey {
  const fingerprint = createHmac('sha256', key).update('pixart-batch encryption key').digest('hex').slice(0, 8);
  return { id: `${name}.${fingerprint}`, name, key };
}

/** The keys of one process: the current one encrypts, and all of them decrypt. */
export type Keyring = {
  readonly current: EncryptionKey;
  /** The current one first. */
  readonly all: readonly EncryptionKey[];
  /** @throws KeyMissing if no key has the id */
  byId(id: string): EncryptionKey;
};

/** Something is encrypted with a key that this process does not have. */
export class KeyMissing extends UserError {
  readonly keyId: string;

  /** @param found the ids of the available keys */
  constructor(keyId: string, found: readonly string[] = []) {
    super(
      `expected encryption key ${JSON.stringify(keyId)}, found ${found.length === 0 ? 'no key' : `only ${found.join(', ')}`}. ` +
        'Give this process that key too, in the file that PIXART_ENCRYPTION_KEY_FILE names or wherever it gets its keys from ' +
        '(docs/encryption.md). Nothing is lost in the meantime',
    );
    this.keyId = keyId;
  }
}

export const KEY_BYTES = 32;
const MOST_KEYS = 100;

/** Key names appear in plain text in histories and messages. */
const KEY_LINE = /^([A-Za-z0-9][A-Za-z0-9_-]{0,63}):([A-Za-z0-9+/_-]{43}=?)$/;

/**
 * Reads keys, one a line as `name:key`, where the key is 32 bytes in base64. The first is the current one. Empty lines
 * and lines that start with `#` are skipped.
 *
 * @param where the text's name in messages
 * @throws UserError if a line is not a key, a key occurs twice, or there is none; the message never quotes the text
 */
export function keyringOf(text: string, where: string): Keyring {
  const keys = new Map<string, EncryptionKey>();
  for (const [at, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const key = keyOfLine(trimmed, `${where}, line ${at + 1}`);
    if (keys.has(key.id)) throw new UserError(`${where}: expected each key once, found ${key.id} twice`);
    keys.set(key.id, key);
  }
  const [current] = keys.values();
  if (current === undefined) throw new UserError(`${where}: expected at least one key, found none. ${HOW_TO_MAKE}`);
  if (keys.size > MOST_KEYS) {
    throw new UserError(
      `${where}: expected at most ${MOST_KEYS} keys, found ${keys.size}; remove those that nothing needs`,
    );
  }
  return {
    current,
    all: [...keys.values()],
    byId(id) {
      const key = keys.get(id);
      if (key === undefined) throw new KeyMissing(id, [...keys.keys()]);
      return key;
    },
  };
}

/** The line for a key, as keyringOf reads it. */
export const keyLine = ({ name, key }: EncryptionKey): string => `${name}:${key.export().toString('base64')}`;

const HOW_TO_MAKE = 'Make one with "npx pixart-batch encryption new-key"';

function keyOfLine(line: string, where: string): EncryptionKey {
  const [, name, base64] = KEY_LINE.exec(line) ?? [];
  const bytes = Buffer.from(base64 ?? '', 'base64');
  if (name === undefined || bytes.length !== KEY_BYTES) {
    throw new UserError(
      `${where}: expected a key as name:key, where the name has letters, digits, "_" and "-", and the key is ${KEY_BYTES} bytes in base64; ` +
        `found something else (${line.length} characters). ${HOW_TO_MAKE}`,
    );
  }
  return encryptionKey(name, createSecretKey(bytes));
}
