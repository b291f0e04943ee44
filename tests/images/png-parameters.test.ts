import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeImage, imageFault, readRenderKey, withPngParameters } from '../../images/index.ts';
import { bundle, sampleJob, samplePixels } from './sample-job.ts';

const parameters = { ...sampleJob, bundle };

const pngWith = async (changes: Partial<typeof parameters>) =>
  withPngParameters(await encodeImage(samplePixels(48, 32), { job: sampleJob, bundle }), { ...parameters, ...changes });

const textOf = async (png: Uint8Array) => {
  const { comments } = await sharp(png).metadata();
  return comments?.find(({ keyword }) => keyword === 'parameters')?.text;
};

test('a PNG has its parameters in three lines, as the web UI writes them', async () => {
  expect((await textOf(await pngWith({})))?.split('\n')).toEqual([
    'a red paper lantern',
    'Negative prompt: blurry',
    expect.stringMatching(
      /^Steps: 20, CFG scale: 4\.5, Seed: 4294967295, Size: 48x32, Model hash: b{10}, Model: tiny-pixart, Version: pixart-batch \d+\.\d+\.\d+$/,
    ),
  ]);
});

test('without a negative prompt there is no line for it', async () => {
  expect(await textOf(await pngWith({ negativePrompt: '' }))).toMatch(/^a red paper lantern\nSteps: /);
});

test('prompts in all scripts are read back', async () => {
  for (const prompt of ['Füchslein, ½ Größe', '红狐狸 🦊', 'two\nlines', '']) {
    expect(await textOf(await pngWith({ prompt }))).toMatch(new RegExp(`^${prompt}\\nNegative`));
  }
});

test('it is still a whole image with its metadata', async () => {
  const png = await pngWith({});
  expect(await imageFault(png, sampleJob)).toBeNull();
  expect(await readRenderKey(png)).toBe(sampleJob.renderKey);
});

test('a file that is not a PNG is rejected', () => {
  expect(() => withPngParameters(Buffer.from('RIFF'), parameters)).toThrow('expected a PNG');
});
