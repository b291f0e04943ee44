import { randomUUID } from 'node:crypto';
import type { Signer } from '@trustnxt/c2pa-ts/cose';
import {
  BMFFHashAssertion,
  ClaimVersion,
  DataHashAssertion,
  ManifestStore,
  Signature,
} from '@trustnxt/c2pa-ts/manifest';
import type { ImageFormat } from '../domain/image-format.ts';
import project from '../package.json' with { type: 'json' };
import { assetOf } from './asset.ts';
import { assertionsOf, type Change, type Statement } from './statement.ts';

const HASH = 'SHA-256';

/**
 * Room for a signature of any length, padded to the full size; the library's default of 25,000 bytes allows for a
 * timestamp. The padding stays above 255 bytes, since a shorter CBOR string would have a shorter header.
 */
const SIGNATURE_ROOM = 1024;

/**
 * Returns the file with a C2PA manifest that says how it was made. Pixels and other metadata stay unchanged.
 *
 * @throws whatever the signer throws
 */
export async function signFile(
  file: Uint8Array,
  format: ImageFormat,
  statement: Statement,
  signer: Signer,
  changes: readonly Change[] = [],
): Promise<Uint8Array> {
  const asset = assetOf(file, format);
  const store = new ManifestStore();
  const manifest = store.createManifest({
    claimVersion: ClaimVersion.V2,
    assetFormat: asset.mimeType,
    instanceID: `xmp:iid:${randomUUID()}`,
    defaultHashAlgorithm: HASH,
    signer,
  });
  manifest.signature = Signature.create(signer, SIGNATURE_ROOM);
  const claim = manifest.claim!;
  claim.claimGeneratorName = project.name;
  claim.claimGeneratorVersion = project.version;
  const hash = format === 'avif' ? BMFFHashAssertion.createV3('picture', HASH) : DataHashAssertion.create(HASH);
  for (const assertion of [hash, ...assertionsOf(statement, changes)]) manifest.addAssertion(assertion);
  await asset.ensureManifestSpace(store.measureSize());
  await hash.updateWithAsset(asset);
  await manifest.sign(signer);
  await asset.writeManifestJUMBF(store.getBytes());
  return asset.getDataRange();
}
