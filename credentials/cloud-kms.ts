import { createHash } from 'node:crypto';
import { GoogleAuth } from 'google-auth-library';
import { UserError } from '../domain/user-error.ts';
import type { Algorithm, Sign } from './signing-key.ts';

const SCHEME = 'gcp-kms://';
const VERSION = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+\/cryptoKeyVersions\/\d+$/;
/** Overridden by the same variable as in Google's own tools, such as for Private Service Connect. */
const endpoint = (): string =>
  (process.env.CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS || 'https://cloudkms.googleapis.com').replace(/\/+$/, '');

const SCOPE = 'https://www.googleapis.com/auth/cloudkms';
const PATIENCE_MS = 20_000;

export const isCloudKms = (key: string): boolean => key.startsWith(SCHEME);

/**
 * Signs with a key that never leaves Google's Cloud KMS: `gcp-kms://projects/…/cryptoKeyVersions/1`. The account needs
 * `cloudkms.cryptoKeyVersions.useToSign` on it (role Cloud KMS CryptoKey Signer).
 *
 * @throws UserError if the name is not a key version's
 */
export function openCloudKms(key: string, { hash, kind }: Algorithm): Sign {
  const version = key.slice(SCHEME.length);
  if (!VERSION.test(version)) {
    throw new UserError(
      `--sign-with ${key}: expected ${SCHEME}projects/<project>/locations/<location>/keyRings/<ring>/cryptoKeys/<key>/cryptoKeyVersions/<n>`,
    );
  }
  return async (bytes) => {
    const what =
      hash === null ? { data: base64(bytes) } : { digest: { [hash]: createHash(hash).update(bytes).digest('base64') } };
    const { signature } = await post(`${endpoint()}/v1/${version}:asymmetricSign`, what);
    if (!signature) throw new Error(`${endpoint()} answered without a signature`);
    const der = Buffer.from(signature, 'base64');
    return new Uint8Array(kind === 'ec' ? numbersOf(der, COORDINATE_BYTES[hash!]) : der);
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** For the curve that goes with each hash. */
const COORDINATE_BYTES = { sha256: 32, sha384: 48 } as const;

let auth: GoogleAuth | undefined;

/** Calls the service with this machine's credentials. */
async function post(url: string, data: object): Promise<{ signature?: string }> {
  auth ??= new GoogleAuth({ scopes: SCOPE });
  const answer = await auth.request<{ signature?: string }>({ url, method: 'POST', data, timeout: PATIENCE_MS });
  return answer.data;
}

/** ECDSA's two numbers, padded to the curve's length, from the DER sequence that KMS returns. */
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
