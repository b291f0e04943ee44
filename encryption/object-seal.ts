import { createHmac, hkdfSync } from 'node:crypto';
import { UserError } from '../domain/user-error.ts';
import { type EncryptionKey, KEY_BYTES, KeyMissing, type Keyring } from './keyring.ts';
import { isSealed, SealBroken, seal, sealedWith, unseal } from './sealed.ts';

/** How objects that must not be read by all who read a store get into it, and out again. */
export type ObjectSeal = {
  /** What to write under a name: sealed, or as it is. */
  close(bytes: Uint8Array, name: string): Uint8Array;
  /** What was written under a name, sealed or not, or a sentence that says why it cannot be had. */
  open(bytes: Uint8Array, name: string): Uint8Array | string;
  /**
   * Whether it was sealed with a key that is not here, so that nobody here can tell what it is.
   *
   * @param beginning of the bytes, SEAL_BYTES_AT_MOST of them unless there are fewer
   */
  isForeign(beginning: Uint8Array): boolean;
  /**
   * The digests under which something may lie that is known by this one, the one to write under first. A plain digest of a text lets
   * anybody who guesses the text find out that it was drawn; what is sealed lies under one that takes the key to compute.
   */
  digests(plain: string): [string, ...string[]];
};

/**
 * @param keyring what is sealed with; whatever any of its keys sealed is opened, also where `seals` is false
 * @throws UserError where it is to seal and there is no key
 */
export function objectSeal(keyring: Keyring | null, seals: boolean): ObjectSeal {
  if (seals && keyring === null) {
    throw new UserError(
      'encrypting captions and checkpoints: expected encryption keys, found none. Set PIXART_ENCRYPTION_KEY_FILE, PIXART_ENCRYPTION_KEYS or ' +
        'PIXART_ENCRYPTION_KEY_COMMAND; "npx pixart-batch encryption new-key" makes a key',
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

/** `null` of what was cut short. */
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

/** A key of its own is derived for it: one key for two purposes weakens both. */
function keyedDigest({ key }: EncryptionKey, plain: string): string {
  const derived = hkdfSync('sha256', key, Buffer.alloc(0), 'pixart-batch object names', KEY_BYTES);
  return createHmac('sha256', Buffer.from(derived)).update(plain).digest('hex');
}
