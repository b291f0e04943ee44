import { chmod, readFile, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { openPictureSigner, type SignedJob } from '../../credentials/picture-signer.ts';
import { readCredential } from '../../credentials/read-credential.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../domain/image-format.ts';
import { encodeImage } from '../../images/index.ts';
import { crc32c } from '../../store/crc32c.ts';
import { sampleJob, samplePixels } from '../images/sample-job.ts';
import { KINDS, type Kind, type TestChain, testChain } from './chains.ts';

const MODEL = { name: 'tiny', digest: 'd'.repeat(64), license: 'Apache-2.0' };

const open = ({ key, certificates }: Pick<TestChain, 'key' | 'certificates'>) =>
  openPictureSigner({ key, certificates }, MODEL);

type Sample = { file: Uint8Array; job: SignedJob; object: { bytes: number; crc32c: string } };

async function sample(format: ImageFormat = 'png', changes: Partial<SignedJob> = {}): Promise<Sample> {
  const quality = format === 'png' ? null : 80;
  const job = { ...sampleJob, format, quality, sign: 'without-prompt' as const, ...changes };
  const file = await encodeImage(samplePixels(job.width, job.height), { job, bundle: MODEL });
  return { file, job, object: { bytes: file.length, crc32c: crc32c(file) } };
}

const pixels = (file: Uint8Array): Promise<Buffer> => sharp(file).raw().toBuffer();
const xmp = async (file: Uint8Array) => (await sharp(file).metadata()).xmp?.toString();

test.each(IMAGE_FORMATS)(
  'a signed %s says what made it; pixels and XMP stay, and a changed byte is noticed',
  async (format) => {
    const signer = await open(await testChain());
    const { file, job, object } = await sample(format);
    const before = Buffer.from(file);
    const signed = await signer.sign(file, job, object);

    expect(file).toEqual(before);
    expect(await pixels(signed)).toEqual(await pixels(file));
    expect(await xmp(signed)).toBe(await xmp(file));
    // Two certificates without the root, a signature, and the texts.
    expect(signed.length - file.length).toBeLessThan(5_000);
    expect(await readCredential(signed)).toEqual({
      generator: expect.stringMatching(/^pixart-batch \d/),
      signedBy: 'CN=Studio renders, O=Studio',
      statement: { model: MODEL, renderKey: job.renderKey, object, prompt: undefined, negativePrompt: undefined },
      fault: null,
    });
    const changed = oneByteChanged(signed, format);
    expect((await readCredential(changed))?.fault).toMatch(/^assertion\.(data|bmff)Hash\.mismatch$/);
  },
);

/** Where each format has its pixels, or the text of its XMP. */
const CONTENT = { png: 'IDAT', webp: 'VP8 ', avif: 'mdat', jpeg: 'xpacket end' };

function oneByteChanged(signed: Uint8Array, format: ImageFormat = 'png'): Uint8Array {
  const at = Buffer.from(signed).indexOf(CONTENT[format]);
  expect(at).toBeGreaterThan(0);
  const changed = Uint8Array.from(signed);
  changed[at + 30]! ^= 1;
  return changed;
}

const ALLOWED = (Object.keys(KINDS) as Kind[]).filter((kind) => kind !== 'P-521');

test.each(ALLOWED)('a key of kind %s signs', async (kind) => {
  const signer = await open(await testChain({ kind }));
  const { file, job, object } = await sample();
  expect(await readCredential(await signer.sign(file, job, object))).toMatchObject({ fault: null });
});

test('a prompt goes into the credential if the batch wants it, however long it is', async () => {
  const signer = await open(await testChain());
  for (const format of IMAGE_FORMATS) {
    // A JPEG has room for 60,000 bytes of XMP, which has the prompt twice; its segments allow only a shorter manifest.
    const prompt = `a fox 🦊 & <more> ${'and more '.repeat(format === 'jpeg' ? 3_000 : 9_000)}`;
    const { file, job, object } = await sample(format, { sign: 'with-prompt', prompt, negativePrompt: 'fog' });
    const signed = await signer.sign(file, job, object);
    const found = await readCredential(signed);
    expect(found).toMatchObject({ fault: null, statement: { negativePrompt: 'fog' } });
    expect(found!.statement!.prompt).toBe(prompt);
  }
});

test('a signed file is recognised, unless the object, the texts or a byte differ', async () => {
  const signer = await open(await testChain());
  const { file, job, object } = await sample();
  const signed = await signer.sign(file, job, object);
  expect(await signer.hasSigned(signed, job, object)).toBe(true);
  expect(await signer.hasSigned(file, job, object)).toBe(false);
  expect(await signer.hasSigned(signed, job, { ...object, crc32c: 'AAAAAA==' })).toBe(false);
  expect(await signer.hasSigned(signed, { ...job, sign: 'with-prompt' }, object)).toBe(false);
  expect(await signer.hasSigned(oneByteChanged(signed), job, object)).toBe(false);
  expect(await signer.hasSigned(Buffer.from('no picture at all'), job, object)).toBe(false);
});

test.each([
  [
    'a key that others may read',
    'found mode 644: run "chmod 600 ',
    (chain: TestChain) => rewritten(chain.key, chain.keyPem, 0o644),
  ],
  [
    'no key at all',
    'a private key in PEM without a passphrase',
    ({ key }: TestChain) => rewritten(key, 'no key', 0o600),
  ],
  [
    "another certificate's key",
    'found another',
    async ({ key }: TestChain) => rewritten(key, (await testChain()).keyPem, 0o600),
  ],
  ['no certificate', 'found none', ({ certificates }: TestChain) => writeFile(certificates, '')],
  [
    'a certificate of an authority',
    "a certificate authority's",
    (chain: TestChain) => writeFile(chain.certificates, chain.root),
  ],
  [
    'certificates out of order',
    'certificate 2 to be the one that issued certificate 1',
    (chain: TestChain) => writeFile(chain.certificates, chain.leaf + chain.root + chain.issuer),
  ],
])('%s is refused at the start', async (_, message, spoil) => {
  const chain = await testChain();
  await spoil(chain);
  await expect(open(chain)).rejects.toThrow(message);
});

async function rewritten(file: string, text: string, mode: number): Promise<void> {
  await writeFile(file, text);
  await chmod(file, mode);
}

test.each([
  ['has expired', { from: -30, to: -1 }, 'a certificate that is valid now'],
  ['is not valid yet', { from: 1 }, 'a certificate that is valid now'],
  ['is for web servers', { purposes: ['1.3.6.1.5.5.7.3.1'] }, 'e-mail protection'],
  ['is for nothing in particular', { purposes: [] }, 'found none'],
  ['has a key that our library cannot check', { kind: 'P-521' as const }, 'P-256, P-384, Ed25519 or RSA'],
])('a certificate that %s is refused at the start', async (_, options, message) => {
  await expect(open(await testChain(options))).rejects.toThrow(message);
});

test("a certificate with C2PA's own key usage is accepted, and a missing file is named", async () => {
  const chain = await testChain({ purposes: ['1.3.6.1.4.1.62558.2.1'] });
  const { file, job, object } = await sample();
  expect(await readCredential(await (await open(chain)).sign(file, job, object))).toMatchObject({ fault: null });
  await expect(open({ ...chain, key: `${chain.key}.none` })).rejects.toThrow('key.pem.none');
  await expect(open({ ...chain, certificates: `${chain.certificates}.none` })).rejects.toThrow('chain.pem.none');
  // No message ever contains parts of the key.
  await writeFile(chain.key, (await readFile(chain.key, 'utf8')).slice(0, 120));
  await expect(open(chain)).rejects.not.toThrow(/[A-Za-z0-9+/]{40}/);
});
