import { webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { onTestFinished } from 'vitest';

const DAY_MS = 86_400_000;
const { subtle } = webcrypto;

/** WebCrypto's parameters for the kinds of keys that C2PA allows. */
export const KINDS = {
  'P-256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'P-384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  'P-521': { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
  Ed25519: { name: 'Ed25519' },
  'RSA 2048': {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
} as const;

export type Kind = keyof typeof KINDS;

export type ChainOptions = {
  kind?: Kind;
  /** The leaf's extended key usage; default: e-mail protection. */
  purposes?: string[];
  /** The leaf's validity, in days from now. */
  from?: number;
  to?: number;
};

/** A key, its certificate, and the issuers' certificates, as a studio's certificate authority would issue them. */
export type TestChain = {
  /** Paths for `--sign-with` and `--sign-as`. */
  key: string;
  certificates: string;
  /** PEM. */
  keyPem: string;
  leaf: string;
  issuer: string;
  root: string;
};

/** Creates a chain in a folder that is removed when the test ends. */
export async function testChain(options: ChainOptions = {}): Promise<TestChain> {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-chain-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return chainIn(folder, options);
}

/** The same in the caller's folder. */
export async function chainIn(folder: string, options: ChainOptions = {}): Promise<TestChain> {
  const { kind = 'P-256', purposes = [x509.ExtendedKeyUsage.emailProtection], from = -1, to = 30 } = options;
  const [rootKeys, issuerKeys, keys] = await Promise.all([newKeys('P-256'), newKeys('P-256'), newKeys(kind)]);
  const root = await certificate('CN=Studio root, O=Studio', rootKeys, null, authority);
  const issuer = await certificate(
    'CN=Studio issuer, O=Studio',
    issuerKeys,
    { certificate: root, keys: rootKeys },
    authority,
  );
  const leaf = await certificate(
    'CN=Studio renders, O=Studio',
    keys,
    { certificate: issuer, keys: issuerKeys },
    [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ...(purposes.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension(purposes)]),
    ],
    [from, to],
  );
  const keyPem = x509.PemConverter.encode(await subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  const paths = { key: join(folder, 'key.pem'), certificates: join(folder, 'chain.pem') };
  const pems = { leaf: leaf.toString('pem'), issuer: issuer.toString('pem'), root: root.toString('pem') };
  await writeFile(paths.key, keyPem, { mode: 0o600 });
  await writeFile(paths.certificates, [pems.leaf, pems.issuer, pems.root].join('\n'));
  return { ...paths, keyPem, ...pems };
}

const newKeys = async (kind: Kind): Promise<webcrypto.CryptoKeyPair> =>
  (await subtle.generateKey(KINDS[kind], true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;

const authority = [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
];

async function certificate(
  subject: string,
  { publicKey, privateKey }: webcrypto.CryptoKeyPair,
  by: { certificate: x509.X509Certificate; keys: webcrypto.CryptoKeyPair } | null,
  extensions: x509.Extension[],
  [from, to]: [number, number] = [-1, 3650],
): Promise<x509.X509Certificate> {
  return x509.X509CertificateGenerator.create({
    subject,
    issuer: by?.certificate.subject ?? subject,
    publicKey,
    signingKey: by?.keys.privateKey ?? privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(by?.keys.publicKey ?? publicKey),
    ],
  });
}
