import { expect, test } from 'vitest';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import { goldenNetworks } from './golden-networks.ts';

test('a decoder that is given the statistics it saw draws what it drew, and with others something else', async () => {
  const { vaeDecoder, bundle } = await goldenNetworks('tiny-velocity');
  const { norms, groups } = bundle.description.vae;
  const latents = new Tensor(
    'float32',
    Float32Array.from({ length: 4 * 6 * 5 }, (_, i) => Math.sin(i)),
    [1, 4, 6, 5],
  );
  const inputs = (statistics: Float32Array, isGiven: boolean) => ({
    latents,
    given_statistics: new Tensor('float32', statistics, [1, norms, 2, groups]),
    is_given: new Tensor('bool', [isGiven], [1]),
  });
  const nothing = inputs(new Float32Array(norms * 2 * groups), false);
  const own = await vaeDecoder.run(nothing, 'image');
  const seen = await vaeDecoder.run(nothing, 'statistics');
  const given = await vaeDecoder.run(inputs(seen, true), 'image');
  const other = await vaeDecoder.run(
    inputs(
      seen.map((value) => 2 * value),
      true,
    ),
    'image',
  );
  expect(Math.max(...given.map((value, i) => Math.abs(value - own[i]!)))).toBeLessThan(1e-4);
  expect(Math.max(...other.map((value, i) => Math.abs(value - own[i]!)))).toBeGreaterThan(0.01);
});
