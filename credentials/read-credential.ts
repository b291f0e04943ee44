import { SuperBox } from '@trustnxt/c2pa-ts/jumbf';
import { type Manifest, ManifestStore, type ValidationResult } from '@trustnxt/c2pa-ts/manifest';
import { findAsset } from './asset.ts';
import { type Statement, statementOf } from './statement.ts';

/** What a picture's C2PA manifest says, and whether the picture is still the one that was signed. */
export type Credential = {
  /** The program that wrote it, such as `pixart-batch 0.2.0`. */
  generator: string;
  /** The subject of the certificate. It is not checked for trust, which takes a reader with a trust list. */
  signedBy: string;
  /** `null` if another program made the picture. */
  statement: Statement | null;
  /** How file or manifest differ from what was signed; `null` if they do not. */
  fault: string | null;
};

/** The file's newest manifest; `null` if it has none. Trust and expiry of its certificate are not checked. */
export async function readCredential(file: Uint8Array): Promise<Credential | null> {
  try {
    const asset = findAsset(file);
    const jumbf = asset?.getManifestJUMBF();
    if (!asset || jumbf === undefined) return null;
    const store = ManifestStore.read(SuperBox.fromBuffer(new Uint8Array(jumbf)));
    const manifest = store.getActiveManifest();
    if (manifest === undefined) return UNREADABLE;
    const { statusEntries } = await store.validate(asset);
    return credentialOf(manifest, statusEntries);
  } catch (error) {
    return { ...UNREADABLE, fault: `it cannot be read: ${(error as Error).message}` };
  }
}

const UNREADABLE: Credential = {
  generator: 'unknown',
  signedBy: 'unknown',
  statement: null,
  fault: 'it cannot be read',
};

const credentialOf = ({ claim, signature, assertions }: Manifest, statuses: Statuses): Credential => ({
  generator: [claim?.claimGeneratorName, claim?.claimGeneratorVersion].filter(Boolean).join(' '),
  signedBy: signature?.signatureData.certificate?.subject ?? 'unknown',
  statement: statementOf(assertions?.assertions ?? []),
  fault: faultText(statuses),
});

type Statuses = ValidationResult['statusEntries'];

/** C2PA's own codes, such as `assertion.dataHash.mismatch`, without those about trust in the certificate. */
function faultText(statuses: Statuses): string | null {
  const faults = statuses.filter(({ success, code }) => success === false && !code.startsWith('signingCredential.'));
  return faults.length === 0 ? null : [...new Set(faults.map(({ code }) => code))].join(', ');
}
