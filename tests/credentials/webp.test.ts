import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WebP } from '../../credentials/webp.ts';

type Part = { name: string; data: Uint8Array };

const bytes = (most: number) => fc.uint8Array({ maxLength: most });
const part = fc.record({ name: fc.constantFrom('VP8X', 'VP8 ', 'ALPH', 'XMP ', 'C2PA'), data: bytes(40) });

function chunk({ name, data }: Part): Buffer {
  const header = Buffer.alloc(8);
  header.write(name, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length % 2)]);
}

function webp(parts: Part[]): Buffer {
  const body = Buffer.concat([Buffer.from('WEBP'), ...parts.map(chunk)]);
  const header = Buffer.alloc(8);
  header.write('RIFF', 'latin1');
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
}

const whole = async (asset: WebP): Promise<Buffer> => Buffer.from(await asset.getDataRange());

test('a manifest becomes the last chunk, replacing an earlier one, and all other chunks stay unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 6 }), bytes(50), async (parts, manifest) => {
      const asset = new WebP(webp(parts));
      await asset.ensureManifestSpace(manifest.length);
      await asset.writeManifestJUMBF(manifest);
      const kept = parts.filter(({ name }) => name !== 'C2PA');
      expect(await whole(asset)).toEqual(webp([...kept, { name: 'C2PA', data: manifest }]));
      expect(Buffer.from(asset.getManifestJUMBF()!)).toEqual(Buffer.from(manifest));
      const { start, length } = asset.getHashExclusionRange();
      const excluded = Buffer.from(await asset.getDataRange(start, length));
      expect(excluded.subarray(8)).toEqual(Buffer.from(manifest));
      expect(excluded.toString('latin1', 0, 4)).toBe('C2PA');
    }),
  );
});

test('bytes that are not a complete WebP are refused, whatever their chunks claim', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(255), async (parts, at, to) => {
      const file = webp(parts);
      file[at % file.length] = to;
      const read = () => new WebP(file).getManifestJUMBF();
      // It either reads within the file or says what is wrong.
      let found: Uint8Array | undefined;
      try {
        found = read();
      } catch (error) {
        expect((error as Error).message).toMatch(/^(expected a complete WebP|WebP: expected a complete chunk)/);
      }
      expect(found?.length ?? 0).toBeLessThan(file.length);
    }),
  );
  expect(() => new WebP(webp([]).subarray(0, 9))).toThrow('expected a complete WebP');
});
