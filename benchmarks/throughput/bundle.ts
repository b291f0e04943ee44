/** The bundle of images with a simulated renderer. */
export const BUNDLE = {
  name: 'simulated',
  digest: '0'.repeat(64),
  sizes: ['256' as const],
  defaults: { steps: 1, guidance: 4 },
};
