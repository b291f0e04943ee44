import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';
import type { Keyring } from '../encryption/keyring.ts';
import { EncryptionCodec, type WithoutKey } from '../encryption/payload-codec.ts';

/** Workflow bundles include it if there are keys. */
export const FAILURE_CONVERTER = fileURLToPath(new URL('../encryption/failure-converter.cjs', import.meta.url));

/**
 * How a client or a worker encodes payloads: encrypted if it has keys, including the messages and stacks of failures.
 *
 * @param withoutKey how to decode a payload whose key is missing; default: throw an error
 */
export const dataConverter = (keyring: Keyring | null, withoutKey?: WithoutKey): DataConverter => ({
  payloadCodecs: [new EncryptionCodec(keyring, withoutKey)],
  ...(keyring !== null && { failureConverterPath: FAILURE_CONVERTER }),
});
