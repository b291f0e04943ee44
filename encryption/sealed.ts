import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { UserError } from '../domain/user-error.ts';
import type { Keyring } from './keyring.ts';

/** Encrypted data cannot be decrypted although its key is there: the bytes were changed, or belong somewhere else. */
export class SealBroken extends UserError {}

const CIPHER = 'aes-256-gcm';

/** No text or image format starts like this; the last byte is the version. */
const MAGIC = Buffer.from([0x8f, 0x50, 0x58, 0x53, 0x01]);
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const LONGEST_ID = 255;

/** The most by which sealing makes data longer. */
export const SEAL_BYTES_AT_MOST = MAGIC.length + 1 + LONGEST_ID + NONCE_BYTES + TAG_BYTES;

/** Whether these bytes come from {@link seal}, with any key. */
export const isSealed = (bytes: Uint8Array): boolean => MAGIC.equals(bytes.subarray(0, MAGIC.length));

/**
 * Encrypts with the current key: AES-256-GCM with a fresh random nonce. A key is good for four billion calls. The
 * result is the magic, the length-prefixed id of the key, the nonce, the encrypted bytes and the tag.
 *
 * @param context what the bytes are and where they belong; unsealing requires the same context
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
 * @throws KeyMissing if the keyring does not have it
 * @throws SealBroken if the bytes were changed, or were sealed for another context
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
      `expected bytes encrypted with key ${id}, found others: they were changed, or belong somewhere else`,
    );
  }
}

/** The id of the key that these bytes need. @throws SealBroken if they are truncated */
export const sealedWith = (bytes: Uint8Array): string => partsOf(bytes).id;

/** The header contains its own length, so header and context cannot run into each other. */
const boundTo = (header: Buffer, context: string): Buffer => Buffer.concat([header, Buffer.from(context)]);

function partsOf(sealed: Uint8Array) {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
  const idFrom = MAGIC.length + 1;
  const idTo = idFrom + (bytes[MAGIC.length] ?? 0);
  const from = idTo + NONCE_BYTES;
  const to = bytes.length - TAG_BYTES;
  if (!isSealed(bytes) || to < from) {
    throw new SealBroken(
      `expected encrypted bytes with the id of their key, found ${bytes.length} bytes that are truncated or something else`,
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
