import { createHmac, hkdfSync } from 'node:crypto';
import { UserError } from '../domain/user-error.ts';
import { type EncryptionKey, KEY_BYTES, KeyMissing, type Keyring } from './keyring.ts';
import { isSealed, SealBroken, seal, sealedWith, unseal } from './sealed.ts';

/** How to write and read objects that not everybody with access to a store may read. */
export type ObjectSeal = {
  /** The bytes to write under a name: sealed, or unchanged. */
  close(bytes: Uint8Array, name: string): Uint8Array;
  /** The original bytes of what was written under a name, sealed or not, or a sentence saying why they cannot be read. */
  open(bytes: Uint8Array, name: string): Uint8Array | string;
  /**
   * Whether it was sealed with a key that is not available here, so that its content is unknown.
   *
   * @param beginning the first SEAL_BYTES_AT_MOST bytes, or all if there are fewer
   */
  isForeign(beginning: Uint8Array): boolean;
  /**
   * The digests under which something with this plain digest may be stored; the first is the one to write under. With a
   * plain digest, anybody who guesses a text can check whether it was used; sealed objects are stored under a digest
   * that needs the key.
   */
  digests(plain: string): [string, ...string[]];
};

/**
 * @param keyring its current key seals; objects sealed with any of its keys are opened, even if `seals` is false
 * @throws UserError if `seals` is true and there is no key
 */
export function objectSeal(keyring: Keyring | null, seals: boolean): ObjectSeal {
  if (seals && keyring === null) {
    throw new UserError(
      'encrypting captions and checkpoints: expected encryption keys, found none. Set PIXART_ENCRYPTION_KEY_FILE, PIXART_ENCRYPTION_KEYS or ' +
        'PIXART_ENCRYPTION_KEY_COMMAND; create a key with "npx pixart-batch encryption new-key"',
    );
  }
  const keyed = (plain: string): string[] => (keyring?.all ?? []).map((key) => keyedDigest(key, plain));
  return {
    close: (bytes, name) => (keyring !== null && seals ? seal(keyring, bytes, name) : bytes),
    open: (bytes, name) => (isSealed(bytes) ? opened(keyring, bytes, name) : bytes),
    isForeign: (beginning) => isSealed(beginning) && !(keyring?.all ?? []).some(({ id }) => id === keyIdOf(beginning)),
    digests: (plain) => (seals ? [...keyed(plain), plain] : [plain, ...keyed(plain)]) as [string, ...string[]],
  };
}

/** For processes without keys. */
export const PLAIN_OBJECTS = objectSeal(null, false);

/** `null` if the bytes are truncated. */
function keyIdOf(beginning: Uint8Array): string | null {
  try {
    return sealedWith(beginning);
  } catch (error) {
    if (error instanceof SealBroken) return null;
    throw error;
  }
}

function opened(keyring: Keyring | null, bytes: Uint8Array, name: string): Uint8Array | string {
  try {
    if (keyring === null) throw new KeyMissing(sealedWith(bytes));
    return unseal(keyring, bytes, name);
  } catch (error) {
    if (error instanceof KeyMissing || error instanceof SealBroken) return error.message;
    throw error;
  }
}

/** Derives a separate key: using one key for two purposes weakens both. */
function keyedDigest({ key }: EncryptionKey, plain: string): string {
  const derived = hkdfSync('sha256', key, Buffer.alloc(0), 'pixart-batch object names', KEY_BYTES);
  return createHmac('sha256', Buffer.from(derived)).update(plain).digest('hex');
}
