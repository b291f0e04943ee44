import { constants, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { CoseAlgorithmIdentifier as Cose } from '@trustnxt/c2pa-ts/cose';
import { UserError } from '../domain/user-error.ts';
import { readPrivateFile } from '../encryption/private-file.ts';
import type { Chain } from './certificates.ts';

/** The algorithm that C2PA allows for a kind of key. */
export type Algorithm = { cose: Cose; hash: 'sha256' | 'sha384' | null; kind: 'ec' | 'rsa' | 'ed25519' };

/** Signs bytes in COSE's format: ECDSA signatures are two numbers side by side. */
export type Sign = (bytes: Uint8Array) => Promise<Uint8Array>;

/** Not P-521, whose valid signatures @trustnxt/c2pa-ts refuses (findings/c2pa-ts-p521.sh). */
const CURVES: Record<string, Algorithm> = {
  prime256v1: { cose: Cose.ES256, hash: 'sha256', kind: 'ec' },
  secp384r1: { cose: Cose.ES384, hash: 'sha384', kind: 'ec' },
};

/** @throws UserError if C2PA has no algorithm for the certificate's key */
export function algorithmOf({ leaf, file }: Pick<Chain, 'leaf' | 'file'>): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = leaf.publicKey;
  const curve = CURVES[details.namedCurve ?? ''];
  if (type === 'ec' && curve !== undefined) return curve;
  if (type === 'ed25519') return { cose: Cose.Ed25519, hash: null, kind: 'ed25519' };
  if ((type === 'rsa' || type === 'rsa-pss') && (details.modulusLength ?? 0) >= 2048) {
    return { cose: Cose.PS256, hash: 'sha256', kind: 'rsa' };
  }
  const found = [type, details.namedCurve, details.modulusLength].filter(Boolean).join(' ');
  throw new UserError(
    `--sign-as ${file}: expected the certificate of a P-256, P-384, Ed25519 or RSA key of 2048 bits or more, found ${found}`,
  );
}

/**
 * Opens a private key in a PEM file.
 *
 * @throws UserError if it is not a private key, others may read it, or it does not match the certificate
 */
export async function openKeyFile(file: string, chain: Chain): Promise<Sign> {
  const key = parseKey(await readPrivateFile(file, '--sign-with', 'one private key'), file);
  if (!createPublicKey(key).equals(chain.leaf.publicKey)) {
    throw new UserError(
      `--sign-with ${file}: expected the key of the first certificate in ${chain.file}, found another`,
    );
  }
  const algorithm = algorithmOf(chain);
  return async (bytes) => new Uint8Array(sign(algorithm.hash, bytes, used(key, algorithm)));
}

/** Verifies a signature: a key service may use another key than the certificate's. */
export function isSignature({ leaf, file }: Chain, bytes: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = algorithmOf({ leaf, file });
  return verify(algorithm.hash, bytes, used(leaf.publicKey, algorithm), signature);
}

/** A key with the options that COSE prescribes for its kind. */
function used(key: KeyObject, { kind }: Algorithm) {
  if (kind === 'ec') return { key, dsaEncoding: 'ieee-p1363' } as const;
  if (kind === 'ed25519') return key;
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

/** Drops the parser's own error, which may quote parts of the key. */
function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UserError(
      `--sign-with ${file}: expected a private key in PEM without a passphrase, found something else`,
    );
  }
}
