import sharp from 'sharp';
import type { Pixels } from '../../images/index.ts';

/** An SVG drawing's pixels, antialiased. */
export async function draw(svg: string, side = 128): Promise<Pixels> {
  const document = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128" width="${side}" height="${side}">${svg}</svg>`;
  const { data, info } = await sharp(Buffer.from(document)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { rgb: new Uint8Array(data), width: info.width, height: info.height };
}

export const ground = (colour: string): string => `<rect width="128" height="128" fill="${colour}"/>`;

export const blend = (top: string, bottom: string): string =>
  `<linearGradient id="g" x2="0" y2="1"><stop stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient><rect width="128" height="128" fill="url(#g)"/>`;

/** Adds ripples like a decoder's, the same every time. */
export function withNoise({ rgb, ...size }: Pixels, strength: number): Pixels {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state / 2 ** 32) * 2 - 1;
  };
  return { ...size, rgb: rgb.map((value) => Math.max(0, Math.min(255, Math.round(value + next() * strength)))) };
}
