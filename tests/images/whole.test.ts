import { describe, expect, test } from 'vitest';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import type { Job } from '../../domain/job.ts';
import { encodeImage, imageFault } from '../../images/index.ts';
import { bundle, sampleJob } from './sample-job.ts';

const SIDE = 96;

/** Detail everywhere, so that most of the file is the picture's data. */
function noisyPixels() {
  const rgb = new Uint8Array(SIDE * SIDE * 3);
  for (const at of rgb.keys()) rgb[at] = (((at * 2_654_435_761) >>> 20) % 60) + ((at / 3) % SIDE);
  return { rgb, width: SIDE, height: SIDE };
}

describe.each(IMAGE_FORMATS)('a file of the format %s', (format) => {
  const job: Job = { ...sampleJob, width: SIDE, height: SIDE, format, quality: format === 'png' ? null : 90 };
  const file = encodeImage(noisyPixels(), { job, bundle }).then((bytes) => Buffer.from(bytes));

  test('is a whole image as written, even in the middle of a larger buffer', async () => {
    expect(await imageFault(await file, job)).toBeNull();
    const around = Buffer.concat([Buffer.alloc(3), await file, Buffer.alloc(5)]);
    expect(await imageFault(new Uint8Array(around.buffer, around.byteOffset + 3, (await file).length), job)).toBeNull();
  });

  test('is not whole if it is truncated anywhere', async () => {
    const whole = await file;
    const places = [
      ...Array.from({ length: 40 }, (_, n) => Math.floor((whole.length * n) / 40)),
      whole.length - 12,
      whole.length - 1,
    ];
    for (const at of places) expect(await imageFault(whole.subarray(0, at), job), `cut at ${at}`).not.toBeNull();
  });

  test('is not whole with data after its end, or with zeros from the middle on', async () => {
    const whole = await file;
    for (const more of [Buffer.from('\n'), Buffer.alloc(4096)]) {
      expect(await imageFault(Buffer.concat([whole, more]), job)).not.toBeNull();
    }
    for (const share of [0.3, 0.6]) {
      const zeros = Buffer.from(whole).fill(0, Math.floor(whole.length * share));
      expect(await imageFault(zeros, job), `zeros from ${share}`).not.toBeNull();
    }
  });

  test('is not whole as another format or size', async () => {
    const others = IMAGE_FORMATS.filter((other) => other !== format);
    for (const other of others)
      expect(await imageFault(await file, { ...job, format: other })).toMatch(/of the format/);
    expect(await imageFault(await file, { ...job, width: SIDE + 1 })).toBe('it has 96×96 pixels');
  });
});

test('a changed byte is detected in PNG and AVIF, but not in JPEG and WebP, which have no checksum', async () => {
  // As found by the decoders of sharp 0.35.5 (libvips 8.18); without a record of the file there is no better check.
  for (const [format, isSeen] of [
    ['png', true],
    ['avif', true],
    ['jpeg', false],
    ['webp', false],
  ] as const) {
    const job: Job = { ...sampleJob, width: SIDE, height: SIDE, format, quality: format === 'png' ? null : 90 };
    const file = Buffer.from(await encodeImage(noisyPixels(), { job, bundle }));
    const middle = Math.floor(file.length / 2);
    file[middle]! ^= 0x10;
    expect((await imageFault(file, job)) !== null, format).toBe(isSeen);
  }
});
