import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { loadPipeline, openBundle, type RenderRequest, verifyBundle } from '../../../models/pixart/index.ts';
import { byteDifference, GOLDEN } from './golden-case.ts';

const SHIPPED = fileURLToPath(new URL('../../../models/bundles/pixart-icons', import.meta.url));

test('the shipped bundle draws what diffusers draws from its weights, to 1/255 and 0.05/255 on average', async () => {
  const request: Omit<RenderRequest, 'bin'> = JSON.parse(
    readFileSync(path.join(GOLDEN, 'shipped', 'case.json'), 'utf8'),
  );
  const bin = { height: request.height, width: request.width };
  const expected = await sharp(path.join(GOLDEN, 'shipped', 'image.png'))
    .removeAlpha()
    .raw()
    .toBuffer();
  const bundle = await openBundle(SHIPPED);
  await verifyBundle(bundle);
  const pipeline = await loadPipeline(bundle, { device: 'cpu', threads: 1 });
  const image = await pipeline.render({ ...request, bin });
  await pipeline.dispose();
  const { max, mean } = byteDifference(image.rgb, expected);
  expect(max).toBeLessThanOrEqual(1);
  expect(mean).toBeLessThanOrEqual(0.05);
});
