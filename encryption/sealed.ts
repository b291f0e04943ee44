import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { UserError } from '../domain/user-error.ts';
import type { Keyring } from './keyring.ts';

/** What was encrypted cannot be decrypted though its key is there: the bytes were changed, or stood somewhere else. */
export class SealBroken extends UserError {}

const CIPHER = 'aes-256-gcm';

/** No text and no image format begins so; the last byte is the version. */
const MAGIC = Buffer.from([0x8f, 0x50, 0x58, 0x53, 0x01]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST_ID = 255;

/** What is sealed grows by this at most. */
export const SEAL_BYTES_AT_MOST = MAGIC.length + 1 + LONGEST_ID + NONCE_BYTES + TAG_BYTES;

/** Whether these bytes are what {@link seal} makes, of whatever key. */
export const isSealed = (bytes: Uint8Array): boolean => MAGIC.equals(bytes.subarray(0, MAGIC.length));

/**
 * Encrypts with the current key: AES-256-GCM with a fresh random nonce. A key is good for four billion of these. The result is the magic,
 * the id of the key with its length before it, the nonce, the encrypted bytes and the tag.
 *
 * @param context what the bytes are and where they belong: who unseals has to say the same
 */
export function seal(keyring: Keyring, bytes: Uint8Array, context: string): Buffer {
  const { id, key } = keyring.current;
  const header = Buffer.concat([MAGIC, Buffer.from([id.length]), Buffer.from(id, 'latin1')]);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(header, context));
  return Buffer.concat([header, nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts with the key that the header names.
 *
 * @throws KeyMissing where the keyring does not have it
 * @throws SealBroken where the bytes were changed, or were sealed for another context
 */
export function unseal(keyring: Keyring, bytes: Uint8Array, context: string): Buffer {
  const { id, header, nonce, encrypted, tag } = partsOf(bytes);
  const decipher = createDecipheriv(CIPHER, keyring.byId(id).key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(header, context));
  decipher.setAuthTag(tag);
  try {
    return Buffer.concat([decipher.update(encrypted), decipher.final()]);
  } catch {
    throw new SealBroken(
      `expected bytes as encryption key ${id} encrypted them, found others: they were changed, or belong somewhere else`,
    );
  }
}

/** The id of the key that these bytes need. @throws SealBroken where they are too short to be whole */
export const sealedWith = (bytes: Uint8Array): string => partsOf(bytes).id;

/** The header has a length of its own in it, so no header and context run into each other. */
const boundTo = (header: Buffer, context: string): Buffer => Buffer.concat([header, Buffer.from(context)]);

function partsOf(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const idFrom = MAGIC.length + 1;
  const idTo = idFrom + (bytes[MAGIC.length] ?? 0);
  const from = idTo + NONCE_BYTES;
  const to = bytes.length - TAG_BYTES;
  if (!isSealed(bytes) || to < from) {
    throw new SealBroken(
      `expected encrypted bytes with the id of their key, found ${bytes.length} bytes that are cut short or something else`,
    );
  }
  return {
    id: bytes.toString('latin1', idFrom, idTo),
    header: bytes.subarray(0, idTo),
    nonce: bytes.subarray(idTo, from),
    encrypted: bytes.subarray(from, to),
    tag: bytes.subarray(to),
  };
}
