/** Three planes of floats, red, green and blue, rows from the top. */
export type Planes = { data: Float32Array; width: number; height: number };

const CHANNELS = 3;

/** For each pixel along one axis of the target: the two source pixels and the share of the second. */
type Taps = { first: Int32Array; second: Int32Array; share: Float32Array };

/**
 * Scales an image until it covers the target, bilinearly and without antialiasing, and cuts the target out of its centre.
 *
 * Source: diffusers, image_processor.py (`PixArtImageProcessor.resize_and_crop_tensor`). Where rounding leaves the
 * reference's resized image a pixel short of the target, it is made as large as the target here.
 */
export function resizeAndCrop(image: Planes, width: number, height: number): Planes {
  if (image.width === width && image.height === height) return image;
  const ratio = Math.max(height / image.height, width / image.width);
  const columns = bilinearTaps(image.width, Math.max(width, Math.trunc(image.width * ratio)), width);
  const rows = bilinearTaps(image.height, Math.max(height, Math.trunc(image.height * ratio)), height);
  const data = new Float32Array(CHANNELS * width * height);
  let offset = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    const plane = image.data.subarray(channel * image.width * image.height);
    for (let y = 0; y < height; y++) {
      const top = plane.subarray(rows.first[y]! * image.width);
      const bottom = plane.subarray(rows.second[y]! * image.width);
      for (let x = 0; x < width; x++) {
        const upper = mix(top, columns, x);
        data[offset++] = upper + rows.share[y]! * (mix(bottom, columns, x) - upper);
      }
    }
  }
  return { data, width, height };
}

function mix(row: Float32Array, { first, second, share }: Taps, x: number): number {
  const left = row[first[x]!]!;
  return left + share[x]! * (row[second[x]!]! - left);
}

/** Taps of the `length` central pixels of `source` pixels stretched to `resized`, as torch's `align_corners=False`. */
function bilinearTaps(source: number, resized: number, length: number): Taps {
  const start = Math.floor((resized - length) / 2);
  const taps = { first: new Int32Array(length), second: new Int32Array(length), share: new Float32Array(length) };
  for (let i = 0; i < length; i++) {
    const position = Math.max(0, (start + i + 0.5) * (source / resized) - 0.5);
    const first = Math.min(Math.floor(position), source - 1);
    taps.first[i] = first;
    taps.second[i] = Math.min(first + 1, source - 1);
    taps.share[i] = position - first;
  }
  return taps;
}

/** Bytes of an image of −1 … 1, a pixel's three beside each other, clamped and rounded half to even as numpy does. */
export function toBytes({ data, width, height }: Planes): Uint8Array {
  const pixels = width * height;
  const bytes = new Uint8ClampedArray(pixels * CHANNELS);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let i = 0; i < pixels; i++) {
      bytes[i * CHANNELS + channel] = Math.fround(Math.fround(data[channel * pixels + i]! * 0.5 + 0.5) * 255);
    }
  }
  return new Uint8Array(bytes.buffer);
}
