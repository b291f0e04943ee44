import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { loadPipeline, openBundle, type RenderRequest, verifyBundle } from '../../../models/pixart/index.ts';
import { bundleFolder } from '../../../models/pixart/installed-bundles.ts';
import { byteDifference, GOLDEN } from './golden-case.ts';

type ShippedCase = Omit<RenderRequest, 'bin'> & { bundle: string };

const SHIPPED = path.join(GOLDEN, 'shipped');

describe.each(readdirSync(SHIPPED))('%s', (name) => {
  test('a shipped bundle draws what the reference draws from its weights, to 1/255 and 0.05/255 on average', async () => {
    const folder = path.join(SHIPPED, name);
    const { bundle: used, ...request }: ShippedCase = JSON.parse(readFileSync(path.join(folder, 'case.json'), 'utf8'));
    const bin = { height: request.height, width: request.width };
    const expected = await sharp(path.join(folder, 'image.png')).removeAlpha().raw().toBuffer();
    const bundle = await openBundle(await bundleFolder(used));
    await verifyBundle(bundle);
    const pipeline = await loadPipeline(bundle, { device: 'cpu', threads: 1 });
    const image = await pipeline.render({ ...request, bin });
    await pipeline.dispose();
    const { max, mean } = byteDifference(image.rgb, expected);
    expect(max).toBeLessThanOrEqual(1);
    expect(mean).toBeLessThanOrEqual(0.05);
  });
});
