import { isDeepStrictEqual } from 'node:util';
import { X509Certificate } from '@peculiar/x509';
import type { Signer } from '@trustnxt/c2pa-ts/cose';
import type { Job } from '../domain/job.ts';
import { UserError } from '../domain/user-error.ts';
import { CannotSign } from './cannot-sign.ts';
import { type Chain, checkTime, readChain, subject } from './certificates.ts';
import { isCloudKms, openCloudKms } from './cloud-kms.ts';
import { readCredential } from './read-credential.ts';
import { signFile } from './sign-file.ts';
import { algorithmOf, isSignature, openKeyFile, type Sign } from './signing-key.ts';
import type { Change, Statement } from './statement.ts';

/** What a worker signs with. */
export type SigningConfig = {
  /** The path of a private key, or `gcp-kms://` and the name of a key version. */
  key: string;
  /** The path of its certificate chain. */
  certificates: string;
};

/** The parts of a job that go into a credential. */
export type SignedJob = Pick<Job, 'format' | 'renderKey' | 'prompt' | 'negativePrompt' | 'sign'>;

/** The shared object whose bytes are signed. */
export type SignedObject = Statement['object'];

/** Signs pictures of one model. */
export type PictureSigner = {
  /** The subject of the certificate. */
  name: string;
  /**
   * Returns the picture's bytes with a credential embedded.
   *
   * @param changes how the file was derived from the object's picture
   * @throws CannotSign
   */
  sign(file: Uint8Array, job: SignedJob, object: SignedObject, changes?: readonly Change[]): Promise<Uint8Array>;
  /** Whether the file is that object, unchanged since it was signed, with a credential that says the same. */
  hasSigned(file: Uint8Array, job: SignedJob, object: SignedObject): Promise<boolean>;
};

/**
 * Opens key and certificates, and signs a sample, so that problems show up at the start and not in the middle of a batch.
 *
 * @throws UserError if they cannot be used
 */
export async function openPictureSigner(config: SigningConfig, model: Statement['model']): Promise<PictureSigner> {
  const chain = await readChain(config.certificates);
  checkTime(chain);
  const algorithm = algorithmOf(chain);
  const sign = isCloudKms(config.key) ? openCloudKms(config.key, algorithm) : await openKeyFile(config.key, chain);
  const signer = coseSigner(chain, sign);
  const sample = { model, renderKey: '0'.repeat(64), object: { bytes: SAMPLE.length, crc32c: 'AAAAAA==' } };
  await signFile(SAMPLE, 'png', sample, signer).catch((error: Error) => {
    throw new UserError(`--sign-with ${config.key}: expected a key that signs, found ${error.message}`);
  });
  const statement = (
    { sign, renderKey, prompt, negativePrompt }: SignedJob,
    { bytes, crc32c }: SignedObject,
  ): Statement => ({
    model,
    renderKey,
    object: { bytes, crc32c },
    prompt: sign === 'with-prompt' ? prompt : undefined,
    negativePrompt: sign === 'with-prompt' && negativePrompt !== '' ? negativePrompt : undefined,
  });
  return {
    name: subject(chain.leaf),
    sign: (file, job, object, changes) => signFile(file, job.format, statement(job, object), signer, changes),
    async hasSigned(file, job, object) {
      const found = await readCredential(file).catch(() => null);
      return found?.fault === null && isDeepStrictEqual(found.statement, statement(job, object));
    },
  };
}

/** A PNG of one pixel. */
const SAMPLE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

function coseSigner(chain: Chain, sign: Sign): Signer {
  const [certificate, ...chainCertificates] = [chain.leaf, ...chain.others].map(({ raw }) => new X509Certificate(raw));
  return {
    algorithm: algorithmOf(chain).cose,
    certificate: certificate!,
    chainCertificates,
    async sign(bytes) {
      const signature = await whereItCan(() => {
        checkTime(chain);
        return sign(bytes);
      });
      if (isSignature(chain, bytes, signature)) return signature;
      throw new CannotSign(`the signing key does not match the first certificate in ${chain.file}`);
    },
  };
}

async function whereItCan<T>(sign: () => Promise<T>): Promise<T> {
  try {
    return await sign();
  } catch (error) {
    throw new CannotSign((error as Error).message, { cause: error });
  }
}
