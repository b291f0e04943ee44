/** A process to be killed: tells the process id of its renderer's child, then that an image is being computed. */
import { fileURLToPath } from 'node:url';
import { startRenderer } from '../../../models/renderer/index.ts';

const renderer = await startRenderer({
  bundleFolder: fileURLToPath(new URL('../../golden/bundles/tiny-velocity', import.meta.url)),
  device: 'cpu',
  threads: 1,
  onStart: ({ pid }) => process.send?.({ pid }),
});

// 65,536 tokens: one step takes longer than the test may.
await renderer.render(
  {
    prompt: 'a red fox in the snow',
    negativePrompt: '',
    size: '256',
    bin: { height: 4096, width: 4096 },
    width: 4096,
    height: 4096,
    seed: 7,
    steps: 1,
    guidance: 4.5,
  },
  { onBegin: () => process.send?.('computing') },
);
