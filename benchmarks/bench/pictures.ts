/** Peak signal-to-noise ratio of two images of one size, in dB; infinite if they are equal. */
export function peakSignalToNoise(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new Error(`expected images of one size, found ${a.length} and ${b.length} bytes`);
  const squares = a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * a.length) / squares);
}

/** A note about two images that should be the same. */
export const likeness = (a: Uint8Array, b: Uint8Array): string =>
  `pictures ${peakSignalToNoise(a, b).toFixed(1)} dB apart`;
