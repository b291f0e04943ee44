import { describe, expect, test } from 'vitest';
import { binsOf } from '../../../domain/bins.ts';
import { randomNormal } from '../../../models/pixart/noise.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { positionEmbedding } from '../../../models/pixart/position-embedding.ts';
import { goldenNetworks } from './golden-networks.ts';

const TOKENS = 3;

/** All bins of the small sizes, and the narrowest and the widest of 1024 px. */
const bins = [...binsOf('256'), ...binsOf('512'), binsOf('1024').at(0)!, binsOf('1024').at(-1)!];

describe.each(['tiny-epsilon', 'tiny-compressed'])('the one transformer graph of %s', async (name) => {
  const { bundle, transformer } = await goldenNetworks(name);
  const { heads, headWidth, patch, latentChannels: channels } = bundle.description.transformer;
  const width = heads * headWidth;

  test('serves every bin, odd token grids among them', async () => {
    expect(bins.some((bin) => (bin.height / 16) % 2 === 1 && (bin.width / 16) % 2 === 1)).toBe(true);
    for (const bin of bins) {
      const [rows, columns] = [bin.height / 8, bin.width / 8];
      const tokens = (rows / patch) * (columns / patch);
      const positions = positionEmbedding(rows / patch, columns / patch, width, {
        baseSize: 16,
        interpolationScale: 1,
      });
      const prediction = await transformer.run({
        latents: new Tensor('float32', randomNormal(channels * rows * columns, 1), [1, channels, rows, columns]),
        timestep: new Tensor('float32', [500], [1]),
        position_embedding: new Tensor('float32', positions, [1, tokens, width]),
        caption: new Tensor('float32', randomNormal(TOKENS * width, 2), [1, TOKENS, width]),
        caption_mask: new Tensor('int64', [1n, 1n, 1n], [1, TOKENS]),
      });
      expect(prediction.length, `${bin.height} × ${bin.width}`).toBe(channels * rows * columns);
      expect(prediction.every(Number.isFinite), `${bin.height} × ${bin.width}`).toBe(true);
    }
  });
});
