/** A process to be killed: tells the process id of its renderer's child, then every step. */
import { fileURLToPath } from 'node:url';
import { loadCaptionEncoder, openBundle } from '../../../models/pixart/index.ts';
import { startRenderer } from '../../../models/renderer/index.ts';

const bundleFolder = fileURLToPath(new URL('../../golden/bundles/tiny-velocity', import.meta.url));
const encoder = await loadCaptionEncoder(await openBundle(bundleFolder), { device: 'cpu', threads: 1 });
const prompt = await encoder.encode([1]);

const renderer = await startRenderer({
  bundleFolder,
  device: 'cpu',
  threads: 1,
  onStart: ({ pid }) => process.send?.({ pid }),
});

// 16,384 tokens: one step takes far longer than a process needs to end.
await renderer.render(
  {
    prompt: 'a red fox in the snow',
    negativePrompt: '',
    size: '256',
    bin: { height: 2048, width: 2048 },
    width: 2048,
    height: 2048,
    seed: 7,
    steps: 3,
    guidance: 1,
  },
  { prompt, negative: null },
  { onStep: (step) => process.send?.({ step }) },
);
