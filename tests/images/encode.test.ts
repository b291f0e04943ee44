import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import type { Job } from '../../domain/job.ts';
import { contentType, encodeImage, readImageMetadata, readRenderKey } from '../../images/index.ts';
import { imageMetadata } from '../../images/properties.ts';
import { toXmp } from '../../images/xmp.ts';
import { ensureExiftool } from '../../infra/dev/install-exiftool.mjs';
import { ifThere } from '../set-up.ts';
import { bundle, sampleJob, samplePixels } from './sample-job.ts';

const exiftool = await ifThere('What exiftool reads is not tested', ensureExiftool);
const run = (args: string[]) =>
  spawnSync(exiftool![0]!, [...exiftool!.slice(1), ...args], { env: childEnvironment('program'), maxBuffer: 1 << 24 });
const chinese = '一只戴着红灯笼的猫 🐱🏮, <b>"größer" & \'schöner\'</b> ]]> &amp; \n\t–\r end  ';

describe.each(IMAGE_FORMATS)('an image encoded as %s', (format) => {
  const job: Job = { ...sampleJob, format, quality: format === 'png' ? null : 90 };
  const pixels = samplePixels(job.width, job.height);

  test('is an image of that format and size, close to the pixels', async () => {
    const file = await encodeImage(pixels, { job, bundle });
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 48, height: 32, channels: 3 });
    const detected = (await sharp(file).metadata()).format;
    expect(detected).toBe(format === 'avif' ? 'heif' : format);
    const error = pixels.rgb.reduce((sum, value, at) => sum + Math.abs(value - data[at]!), 0) / data.length;
    expect(error).toBeLessThanOrEqual(format === 'png' ? 0 : 3);
    expect(contentType(format)).toBe(`image/${format}`);
  });

  test('carries its parameters in any script', async () => {
    const origin = { job: { ...job, prompt: chinese, negativePrompt: '' }, bundle };
    const file = await encodeImage(pixels, origin);
    expect(await readImageMetadata(file)).toEqual({
      prompt: chinese,
      negativePrompt: '',
      size: '256',
      binWidth: 56,
      binHeight: 40,
      width: 48,
      height: 32,
      seed: 4_294_967_295,
      steps: 20,
      guidance: 4.5,
      ...(job.quality !== null && { quality: 90 }),
      renderKey: job.renderKey,
      bundleName: bundle.name,
      bundleDigest: bundle.digest,
      software: expect.stringMatching(/^pixart-batch \d/),
    });
    expect(await readRenderKey(file)).toBe(job.renderKey);
  });

  test('carries a long prompt, or fails because the format cannot', async () => {
    const prompt = '猫🐱a '.repeat(12_000);
    const attempt = encodeImage(pixels, { job: { ...job, prompt }, bundle });
    if (format === 'jpeg') await expect(attempt).rejects.toThrow(/lantern: .* does not fit into JPEG, .* 60,000/);
    else expect((await readImageMetadata(await attempt))?.prompt).toBe(prompt);
  });

  test('has the same bytes each time', async () => {
    const [first, second] = [await encodeImage(pixels, { job, bundle }), await encodeImage(pixels, { job, bundle })];
    expect(first).toEqual(second);
  });

  describe.skipIf(exiftool === null)('read by exiftool', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'pixart-batch-exiftool-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    test('says the same', async () => {
      const prompt = '一只戴着红灯笼的猫 🐱🏮 ]]> & <ü>';
      const path = join(folder, `image.${format}`);
      writeFileSync(path, await encodeImage(pixels, { job: { ...job, prompt }, bundle }));
      const read = run(['-json', '-validate', '-warning', '-XMP:all', path]);
      expect(JSON.parse(read.stdout.toString())[0]).toMatchObject({
        Validate: 'OK',
        Description: prompt,
        Prompt: prompt,
        NegativePrompt: 'blurry',
        Seed: 4_294_967_295,
        Guidance: 4.5,
        RenderKey: job.renderKey,
        BundleDigest: bundle.digest,
        DigitalSourceType: expect.stringMatching(/trained ?algorithmic ?media/i),
      });
    });

    test('can be read after exiftool has rewritten its metadata', async () => {
      const path = join(folder, `rewritten.${format}`);
      writeFileSync(path, await encodeImage(pixels, { job: { ...job, prompt: chinese }, bundle }));
      const rewritten = run(['-XMP-dc:Title=Lantern', '-o', '-', path]);
      expect(rewritten.stderr.toString()).toBe('');
      expect((await readImageMetadata(rewritten.stdout))?.prompt).toBe(chinese);
    });
  });
});

describe('encoding', () => {
  test('rejects pixels of another length, and a lossy format without a quality', async () => {
    const pixels = samplePixels(48, 32);
    const short = { ...pixels, rgb: pixels.rgb.subarray(3) };
    await expect(encodeImage(short, { job: sampleJob, bundle })).rejects.toThrow(
      /expected 48×32×3 = 4608 bytes, found/,
    );
    const job: Job = { ...sampleJob, format: 'webp' };
    await expect(encodeImage(pixels, { job, bundle })).rejects.toThrow(/webp: expected a quality/);
  });

  test('fills the metadata of a JPEG file to its last byte and refuses one more', async () => {
    const job: Job = { ...sampleJob, format: 'jpeg', quality: 90 };
    const rest = 60_000 - Buffer.byteLength(toXmp(imageMetadata({ ...job, negativePrompt: '' }, bundle)));
    const filled = { ...job, negativePrompt: 'x'.repeat(rest) };
    const file = await encodeImage(samplePixels(48, 32), { job: filled, bundle });
    expect((await readImageMetadata(file))?.negativePrompt).toHaveLength(rest);
    const overfull = { ...job, negativePrompt: 'x'.repeat(rest + 1) };
    await expect(encodeImage(samplePixels(48, 32), { job: overfull, bundle })).rejects.toThrow(/60,001 bytes/);
  });

  test('makes smaller files at lower quality', async () => {
    for (const format of ['webp', 'avif', 'jpeg'] as const) {
      const pixels = samplePixels(256, 256);
      const [low, high] = await Promise.all(
        [20, 95].map((quality) => encodeImage(pixels, { job: { ...sampleJob, format, quality }, bundle })),
      );
      expect(low!.length).toBeLessThan(high!.length);
    }
  });
});

describe('reading', () => {
  test('finds nothing in a foreign image, and no render key in a file that is not an image', async () => {
    const foreign = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>')
      .png()
      .toBuffer();
    expect(await readImageMetadata(foreign)).toBeNull();
    expect(await readRenderKey(foreign)).toBeNull();
    expect(await readRenderKey(Buffer.from('no image'))).toBeNull();
  });
});
