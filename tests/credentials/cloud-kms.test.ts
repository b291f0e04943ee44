import { sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openPictureSigner } from '../../credentials/picture-signer.ts';
import { readCredential } from '../../credentials/read-credential.ts';
import { encodeImage } from '../../images/index.ts';
import { sampleJob, samplePixels } from '../images/sample-job.ts';
import { openssl } from '../openssl.ts';
import { KINDS, type Kind, type TestChain, testChain } from './chains.ts';

const VERSION = 'projects/studio/locations/europe/keyRings/night/cryptoKeys/pictures/cryptoKeyVersions/3';
const MODEL = { name: 'tiny', digest: 'd'.repeat(64), license: 'Apache-2.0' };
const TOKEN = { access_token: 'a-token', issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
const DENIED = { error: { code: 403, message: "Permission 'cloudkms.cryptoKeyVersions.useToSign' denied" } };

type Asked = { data?: string; digest?: { sha256?: string; sha384?: string } };

let held: TestChain;
let kind: Kind;
let status: number;
let calls: { url: string | undefined; authorization: string | undefined }[];

/**
 * Implements Google's token service and Cloud KMS's `asymmetricSign` as documented, with real signatures of digests,
 * since Google's own service cannot run here.
 */
const server = createServer(async (request, response) => {
  const isToken = request.url === '/token';
  const asked = isToken ? null : ((await json(request)) as Asked);
  if (!isToken) calls.push({ url: request.url, authorization: request.headers.authorization });
  response.writeHead(isToken ? 200 : status, { 'content-type': 'application/json' });
  if (asked === null) response.end(JSON.stringify({ ...TOKEN, token_type: 'Bearer', expires_in: 3600 }));
  else response.end(JSON.stringify(status === 200 ? { name: VERSION, signature: await signature(asked) } : DENIED));
});

/** Signs a digest, in DER for ECDSA; Node's own API only signs together with hashing. */
async function signature({ data, digest }: Asked): Promise<string> {
  if (data !== undefined) return sign(null, Buffer.from(data, 'base64'), held.keyPem).toString('base64');
  const file = join(dirname(held.key), 'digest');
  await writeFile(file, Buffer.from((digest?.sha256 ?? digest?.sha384)!, 'base64'));
  const padding = ['digest:sha256', 'rsa_padding_mode:pss', 'rsa_pss_saltlen:32'].flatMap((how) => ['-pkeyopt', how]);
  const options = ['pkeyutl', '-sign', '-inkey', held.key, '-in', file, ...(kind === 'RSA 2048' ? padding : [])];
  return openssl(options).toString('base64');
}

const address = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDKMS', `${address()}/`);
  // Without it, Google's library would ask one of its services.
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'studio');
});

beforeEach(() => {
  status = 200;
  calls = [];
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
});

/** Workload identity federation: exchanges another cloud's token, from a file, for one of Google's. */
async function chainWithCredentials(of: Kind): Promise<TestChain> {
  kind = of;
  held = await testChain({ kind: of });
  const folder = dirname(held.key);
  await writeFile(join(folder, 'subject'), 'a token of another cloud');
  const credentials = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${address()}/token`,
    credential_source: { file: join(folder, 'subject') },
  };
  await writeFile(join(folder, 'credentials.json'), JSON.stringify(credentials));
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'credentials.json'));
  return held;
}

const open = (certificates: string, key = `gcp-kms://${VERSION}`) => openPictureSigner({ key, certificates }, MODEL);

test.each((Object.keys(KINDS) as Kind[]).filter((kind) => kind !== 'P-521'))(
  "a key of kind %s that never leaves Cloud KMS signs with the machine's credentials",
  async (kind) => {
    const { certificates } = await chainWithCredentials(kind);
    const signer = await open(certificates);
    const job = { ...sampleJob, sign: 'without-prompt' as const };
    const file = await encodeImage(samplePixels(job.width, job.height), { job, bundle: MODEL });
    const signed = await signer.sign(file, job, { bytes: file.length, crc32c: 'AAAAAA==' });
    expect(await readCredential(signed)).toMatchObject({ fault: null });
    // First the sample, then the picture.
    expect(calls).toEqual(Array(2).fill({ url: `/v1/${VERSION}:asymmetricSign`, authorization: 'Bearer a-token' }));
  },
);

test("refusals of Cloud KMS are reported at the start, and so are an invalid name and another certificate's key", async () => {
  const { certificates } = await chainWithCredentials('P-256');
  status = 403;
  await expect(open(certificates)).rejects.toThrow("'cloudkms.cryptoKeyVersions.useToSign' denied");
  status = 200;
  const { certificates: others } = await testChain();
  await expect(open(others)).rejects.toThrow('does not match the first certificate');
  await expect(open(certificates, 'gcp-kms://projects/studio')).rejects.toThrow('cryptoKeyVersions/<n>');
});
