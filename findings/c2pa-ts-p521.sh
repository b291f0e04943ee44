#!/usr/bin/env bash
# @trustnxt/c2pa-ts rejects a valid signature with ES512 (ECDSA with P-521 and SHA-512): `claimSignature.mismatch`.
# Expected: `claimSignature.validated`, as for ES256 and ES384; RFC 9053 (2.1) specifies SHA-512 for ES512, C2PA 2.2
# (13.2.1) allows it, and c2pa-rs 0.91.3 accepts the same bytes as valid. Seen with @trustnxt/c2pa-ts 0.9.4. Exits with
# 1 if this has changed. Needs Node 20.9 or later with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @trustnxt/c2pa-ts@0.9.4 @peculiar/x509@1.14.3 || exit 2

cat >"$folder/sign.mjs" <<'END'
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { PNG } from '@trustnxt/c2pa-ts/asset';
import { CoseAlgorithmIdentifier } from '@trustnxt/c2pa-ts/cose';
import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { ActionAssertion, ActionType, DataHashAssertion, DigitalSourceType, ManifestStore } from '@trustnxt/c2pa-ts/manifest';

const { subtle } = webcrypto;
const png = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (letter) => letter.charCodeAt(0),
);

/** The library's verdict on its own signature in an image. */
async function ownVerdict(namedCurve, algorithm, hash) {
  const keys = await subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
  const authority = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=signer',
    issuer: 'CN=authority',
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.emailProtection]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  // WebCrypto concatenates the two numbers, as COSE requires.
  const sign = async (bytes) => new Uint8Array(await subtle.sign({ name: 'ECDSA', hash }, keys.privateKey, bytes));
  const signer = { algorithm, certificate, chainCertificates: [], sign };
  const asset = new PNG(png);
  const store = new ManifestStore();
  const manifest = store.createManifest({ assetFormat: 'image/png', instanceID: 'xmp:iid:1', defaultHashAlgorithm: 'SHA-256', signer });
  manifest.claim.claimGeneratorName = 'finding';
  const binding = DataHashAssertion.create('SHA-256');
  const made = new ActionAssertion();
  made.actions = [{ action: ActionType.C2paCreated, digitalSourceType: DigitalSourceType.TrainedAlgorithmicMedia }];
  for (const assertion of [binding, made]) manifest.addAssertion(assertion);
  await asset.ensureManifestSpace(store.measureSize());
  await binding.updateWithAsset(asset);
  await manifest.sign(signer);
  await asset.writeManifestJUMBF(store.getBytes());
  const { statusEntries } = await ManifestStore.read(SuperBox.fromBuffer(asset.getManifestJUMBF())).validate(asset);
  return statusEntries.map(({ code }) => code).find((code) => code.startsWith('claimSignature.'));
}

const expected = [
  ['P-256', 'ES256', 'SHA-256', 'claimSignature.validated'],
  ['P-384', 'ES384', 'SHA-384', 'claimSignature.validated'],
  ['P-521', 'ES512', 'SHA-512', 'claimSignature.mismatch'],
];
for (const [curve, name, hash, verdict] of expected) {
  const found = await ownVerdict(curve, CoseAlgorithmIdentifier[name], hash);
  console.log(`${name}: ${found}`);
  if (found !== verdict) {
    console.log(`changed: expected ${verdict} of ${name}`);
    process.exit(1);
  }
}
console.log('as described');
END
node "$folder/sign.mjs"
