import { createHash } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';
import { UserError } from '../domain/user-error.ts';
import type { Algorithm, Sign } from './signing-key.ts';

const SCHEME = 'gcp-kms://';
const VERSION = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+\/cryptoKeyVersions\/\d+$/;
const ENDPOINT = 'https://cloudkms.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/cloudkms';
const PATIENCE_MS = 20_000;

export const isCloudKms = (key: string): boolean => key.startsWith(SCHEME);

/** A POST with the credentials of this machine. */
export type Request = (url: string, body: object) => Promise<{ signature?: string }>;

/**
 * Signs with a key that never leaves Google's Cloud KMS: `gcp-kms://projects/…/cryptoKeyVersions/1`. The account needs
 * `cloudkms.cryptoKeyVersions.useToSign` on it (role Cloud KMS CryptoKey Signer).
 *
 * @throws UserError where the name is no key version's
 */
export function openCloudKms(key: string, { hash, kind }: Algorithm, request: Request = googleRequest): Sign {
  const version = key.slice(SCHEME.length);
  if (!VERSION.test(version)) {
    throw new UserError(
      `--sign-with ${key}: expected ${SCHEME}projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>/cryptoKeyVersions/<n>`,
    );
  }
  return async (bytes) => {
    const what =
      hash === null ? { data: base64(bytes) } : { digest: { [hash]: createHash(hash).update(bytes).digest('base64') } };
    const { signature } = await request(`${ENDPOINT}/v1/${version}:asymmetricSign`, what);
    if (!signature) throw new Error(`${ENDPOINT} answered without a signature`);
    const der = Buffer.from(signature, 'base64');
    return new Uint8Array(kind === 'ec' ? numbersOf(der, COORDINATE_BYTES[hash!]) : der);
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Of the curve that goes with a hash. */
const COORDINATE_BYTES = { sha256: 32, sha384: 48 } as const;

let auth: GoogleAuth | undefined;

const googleRequest: Request = async (url, body) => {
  auth ??= new GoogleAuth({ scopes: SCOPE });
  const { data } = await auth.request<{ signature?: string }>({
    url,
    method: 'POST',
    data: body,
    timeout: PATIENCE_MS,
  });
  return data;
};

/** ECDSA's two numbers, each of the curve's length, from the DER sequence that KMS gives. */
function numbersOf(der: Buffer, length: number): Buffer {
  let at = 2;
  const numbers = [0, 1].map(() => {
    const begin = at + 2;
    at = begin + der[at + 1]!;
    const number = der.subarray(begin, at);
    const significant = number.subarray(Math.max(0, number.length - length));
    return Buffer.concat([Buffer.alloc(length - significant.length), significant]);
  });
  return Buffer.concat(numbers);
}
