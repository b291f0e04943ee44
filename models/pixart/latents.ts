/** Latents of one image, [channels, height, width]. */
export type Latents = { data: Float32Array; channels: number; height: number; width: number };

/** The part of latents that begins at a row and a column. */
export function cutLatents(latents: Latents, top: number, left: number, height: number, width: number): Latents {
  const part = new Float32Array(latents.channels * height * width);
  let offset = 0;
  for (let channel = 0; channel < latents.channels; channel++) {
    for (let y = 0; y < height; y++) {
      const begin = (channel * latents.height + top + y) * latents.width + left;
      part.set(latents.data.subarray(begin, begin + width), offset);
      offset += width;
    }
  }
  return { data: part, channels: latents.channels, height, width };
}

/** Every nth latent along both sides: this keeps their mean and spread, which averaging would not. */
export function thinLatents({ data, channels, height, width }: Latents, every: number): Latents {
  const rows = Math.ceil(height / every);
  const columns = Math.ceil(width / every);
  const thinned = new Float32Array(channels * rows * columns);
  let offset = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y += every) {
      for (let x = 0; x < width; x += every) thinned[offset++] = data[(channel * height + y) * width + x]!;
    }
  }
  return { data: thinned, channels, height: rows, width: columns };
}
