import type { Pixels } from './encode.ts';

/** An empty image in one grey, 0 to 255. */
export const createCanvas = (width: number, height: number, grey: number): Pixels => ({
  rgb: new Uint8Array(width * height * 3).fill(grey),
  width,
  height,
});

/** Copies a piece onto the canvas, clipped at the edges. */
export function paste(canvas: Pixels, piece: Pixels, left: number, top: number): void {
  const width = Math.min(piece.width, canvas.width - left);
  const height = Math.min(piece.height, canvas.height - top);
  for (let row = 0; row < height; row++) {
    const from = row * piece.width * 3;
    canvas.rgb.set(piece.rgb.subarray(from, from + width * 3), ((top + row) * canvas.width + left) * 3);
  }
}
