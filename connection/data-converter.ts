import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Keyring } from '../encryption/keyring.ts';
import { EncryptionCodec, type WithoutKey } from '../encryption/payload-codec.ts';

/** Workflows are bundled with it where there are keys. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('../encryption/failure-converter.cjs', import.meta.url));

/**
 * How a client or a worker encodes what it gives to Temporal: encrypted where it has keys, messages and stacks of failures too.
 *
 * @param withoutKey what to do about something that is encrypted with a key which is not there; otherwise that is an error
 */
export const dataConverter = (keyring: Keyring | null, withoutKey?: WithoutKey): DataConverter => ({
  payloadCodecs: [new EncryptionCodec(keyring, withoutKey)],
  ...(keyring !== null && { failureConverterPath: FAILURE_CONVERTER }),
});
