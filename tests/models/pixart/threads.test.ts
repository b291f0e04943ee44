import { expect, test } from 'vitest';
import { nearestBin } from '../../../domain/bins.ts';
import { loadPipeline, openBundle, type SamplerState } from '../../../models/pixart/index.ts';
import { bundleFolder } from '../../../models/pixart/installed-bundles.ts';

/** A worker chooses its threads by a measurement, and a row has to be the same picture with each choice. */
test('a shipped bundle paints the same picture, bit by bit, with one thread and with several', async () => {
  const bundle = await openBundle(await bundleFolder('pixart-icons'));
  const [size, steps] = ['256', 2] as const;
  const bin = nearestBin(size, 3, 4);
  const prompt = 'a flat fox on a teal background';
  const { guidance } = bundle.description.defaults;
  const request = { prompt, negativePrompt: '', size, bin, ...bin, seed: 7, steps, guidance };
  const pictures: Buffer[] = [];
  for (const threads of [1, 2, 3]) {
    const pipeline = await loadPipeline(bundle, { device: 'cpu', threads });
    const computed: Uint8Array[] = [];
    const keep = async ({ arrays }: SamplerState): Promise<void> => {
      for (const { buffer, byteOffset, byteLength } of arrays)
        computed.push(Buffer.from(new Uint8Array(buffer, byteOffset, byteLength)));
    };
    const { rgb } = await pipeline.render(request, { keeping: { everyMs: 0, keep } });
    await pipeline.dispose();
    expect(computed.length).toBeGreaterThanOrEqual(steps);
    pictures.push(Buffer.concat([...computed, rgb]));
  }
  const [first, ...others] = pictures;
  for (const other of others) expect(Buffer.compare(other, first!)).toBe(0);
});
