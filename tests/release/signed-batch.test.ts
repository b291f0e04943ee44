import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { IMAGE_FORMATS, type ImageFormat } from '../../domain/image-format.ts';
import { type LocalFleet, startLocalFleet } from '../../infra/dev/local-fleet.ts';
import type { Manifest } from '../../records/manifest.ts';
import { crc32c } from '../../store/crc32c.ts';
import { runHere } from '../cli/run-here.ts';
import { chainIn, type TestChain } from '../credentials/chains.ts';
import { expectCode, jsonLines } from '../e2e/command-line.ts';
import { createWorkplace, readManifest, type Workplace } from '../e2e/workplace.ts';

// Whole processes, and the reader's packages on the first run.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

let place: Workplace;
let chain: TestChain;
let fleet: LocalFleet;

beforeAll(async () => {
  place = await createWorkplace();
  const keys = join(place.folder, 'keys');
  await mkdir(keys);
  chain = await chainIn(keys);
  await writeFile(join(keys, 'root.pem'), chain.root);
  await writeFile(join(keys, 'other.pem'), (await chainIn(join(keys, '..'))).root);
  vi.stubEnv('PIXART_SIGN_WITH', chain.key);
  vi.stubEnv('PIXART_SIGN_AS', chain.certificates);
  fleet = await startLocalFleet({
    stateFolder: join(place.folder, 'state'),
    bundle: place.bundle,
    sizes: [],
    device: 'cpu',
    threads: 1,
    allow: [pathToFileURL(place.folder).href],
    tell: () => {},
  });
});

afterAll(async () => {
  await fleet?.stop();
  vi.unstubAllEnvs();
  await place.remove();
});

const run = (...args: string[]) => runHere(args, { ...place.environment, TEMPORAL_ADDRESS: fleet.address });
const copies = ({ images }: Manifest): string[] => images.map(({ copy }) => join(place.store, copy));

type Reading = {
  state: 'Trusted' | 'Valid' | 'Invalid' | 'Unreadable';
  faults: string[];
  manifest: {
    assertions: { label: string; data: Record<string, unknown> }[];
    thumbnail?: unknown;
    claim_generator_info: object[];
  };
};

/** What c2pa-rs says, another implementation than the one that signed. */
async function readings(files: string[], anchors = 'root.pem'): Promise<Reading[]> {
  const reader = path('../credentials/reader');
  const python = path('../../models/locked-python.sh');
  const args = [
    join(reader, 'requirements.lock'),
    join(reader, 'read.py'),
    join(place.folder, 'keys', anchors),
    ...files,
  ];
  const { stdout } = await promisify(execFile)(python, args);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Reading);
}

async function signedBatch(format: ImageFormat, option: '--sign' | '--sign-prompts'): Promise<Manifest> {
  const catalog = await place.catalog('foxes.csv', 'id,prompt,steps\nfox,a red fox,2\nowl,a grey owl,2\n');
  const told = await run('submit', catalog, '--image-format', format, '--batch', format, option, '--wait');
  expect(expectCode(0, told).stderr).toContain('render workers need a key and its certificates');
  return readManifest(place.store, format);
}

const told = ({ manifest }: Reading, label: string) => manifest.assertions.find((found) => found.label === label)?.data;

test.each(IMAGE_FORMATS)(
  'a batch of signed %s is read by another program, which notices what is changed',
  async (format) => {
    const option = format === 'png' ? '--sign-prompts' : '--sign';
    const manifest = await signedBatch(format, option);
    const files = copies(manifest);
    for (const [i, { object, bytes, crc32c: sum, signed }] of manifest.images.entries()) {
      const [copy, shared] = [await readFile(files[i]!), await readFile(join(place.store, object))];
      expect([copy.length, crc32c(copy), shared.length, crc32c(shared)]).toEqual([
        signed!.bytes,
        signed!.crc32c,
        bytes,
        sum,
      ]);
      expect(await sharp(copy).raw().toBuffer()).toEqual(await sharp(shared).raw().toBuffer());
      expect((await sharp(copy).metadata()).xmp).toEqual((await sharp(shared).metadata()).xmp);
    }

    const found = await readings(files);
    const { bundle, images } = manifest;
    for (const [i, reading] of found.entries()) {
      expect(reading).toMatchObject({ state: 'Trusted', faults: [] });
      expect(reading.manifest.thumbnail).toBeUndefined();
      expect(reading.manifest.claim_generator_info).toMatchObject([{ name: 'pixart-batch' }]);
      expect(told(reading, 'c2pa.actions.v2')).toMatchObject({
        actions: [
          {
            action: 'c2pa.created',
            digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
            softwareAgent: { name: bundle.name, version: bundle.digest },
          },
        ],
      });
      const metadata = told(reading, 'cawg.metadata')!;
      expect(metadata).toMatchObject({
        'iptcEX:AISystemUsed': bundle.name,
        'pixart:bundleLicense': expect.any(String),
        'pixart:renderKey': images[i]!.renderKey,
        'pixart:objectCrc32c': images[i]!.crc32c,
      });
      expect(metadata['iptcEX:AIPromptInformation']).toBe(format === 'png' ? images[i]!.prompt : undefined);
    }
    expect(await readings(files, 'other.pem')).toMatchObject(
      found.map(() => ({ state: 'Valid', faults: ['signingCredential.untrusted'] })),
    );

    const changed = join(place.folder, `changed-${files[0]!.split('/').at(-1)}`);
    await writeFile(changed, oneByteChanged(await readFile(files[0]!), format));
    expect(await readings([changed])).toMatchObject([
      { state: 'Invalid', faults: [expect.stringContaining('Hash.mismatch')] },
    ]);
    const inspected = jsonLines(expectCode(0, await run('inspect', '--json', changed, files[0]!)));
    expect(inspected).toMatchObject([
      { credential: { fault: expect.stringContaining('mismatch') } },
      {
        credential: {
          fault: null,
          signedBy: 'CN=Studio renders, O=Studio',
          statement: { renderKey: images[0]!.renderKey },
        },
      },
    ]);
  },
);

/** A pixel of a PNG, whose XMP is compressed; a letter of the prompt in the XMP of the others. */
function oneByteChanged(file: Buffer, format: ImageFormat): Buffer {
  const [mark, after] = format === 'png' ? ['IDAT', 8] : ['pixart:prompt>', 2];
  const at = file.indexOf(mark);
  expect(at).toBeGreaterThan(0);
  file[at + mark.length + after]! ^= 1;
  return file;
}

test('verify goes by the checksum of each, and a spoiled copy is signed again without a picture being rendered', async () => {
  const before = await readManifest(place.store, 'webp');
  expect(expectCode(0, await run('verify', 'webp')).stdout).toContain('2 images, all as they were made');
  const [spoiled, other] = copies(before) as [string, string];
  const others = await readFile(other);
  await writeFile(spoiled, 'spoiled');
  expect(expectCode(3, await run('verify', 'webp')).stdout).toContain('7 bytes');

  expectCode(0, await run('verify', 'webp', '--repair'));
  const after = await readManifest(place.store, 'webp');
  expect(after.images[0]).toMatchObject({ outcome: 'reused', computations: 0, crc32c: before.images[0]!.crc32c });
  expect(after.images[0]!.signed).not.toEqual(before.images[0]!.signed);
  expect(await readFile(other)).toEqual(others);
  expect(await readings([spoiled, other])).toMatchObject([{ state: 'Trusted' }, { state: 'Trusted' }]);
});
