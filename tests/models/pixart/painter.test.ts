import { expect, test } from 'vitest';
import { type BundleDescription, openBundle } from '../../../models/pixart/index.ts';
import { loadPainter } from '../../../models/pixart/painter.ts';
import { TINY_BUNDLE } from '../renderer/tiny-renderer.ts';

async function loadedOnCuda(transformer: 'fp16' | 'int8') {
  const bundle = await openBundle(TINY_BUNDLE);
  const fp32 = { weights: 'fp32', error: 0 } as const;
  const precision: BundleDescription['precision'] = {
    textEncoder: fp32,
    transformer: { weights: transformer, error: 0.01 },
    vae: fp32,
  };
  // A device that no machine has: what is not refused beforehand fails as it is loaded.
  return loadPainter({ ...bundle, description: { ...bundle.description, precision } }, { device: 'cuda:99' });
}

test('a transformer in int8 is refused on a GPU before it is loaded, with what to do instead', async () => {
  await expect(loadedOnCuda('int8')).rejects.toThrow(/in int8, which runs on CPUs only.*"--for gpu"/);
  await expect(loadedOnCuda('fp16')).rejects.toThrow(/transformer\.onnx cannot be loaded on cuda:99/);
});
