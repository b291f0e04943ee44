import sharp from 'sharp';
import { describe, expect, it, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { type Cutout, cutOut } from '../../exporting/cut-out/cut-out.ts';
import { checkCutOut } from '../../exporting/cut-out/even-background.ts';
import type { Pixels } from '../../images/index.ts';
import { blend, draw, ground, withNoise } from './drawing.ts';

const GROUNDS = {
  white: ground('#ffffff'),
  black: ground('#101014'),
  grey: ground('#9a9da3'),
  green: ground('#3fa65a'),
  'a blend': blend('#ff9a44', '#d1388f'),
};

const opacityAt = ({ rgba, width }: Cutout, x: number, y: number): number => rgba[(y * width + x) * 4 + 3]!;

/** The cut-out on another background, as RGB. */
async function on(cut: Cutout, background: string): Promise<Buffer> {
  const { rgba, width, height } = cut;
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .flatten({ background })
    .raw()
    .toBuffer();
}

/** The largest difference of any pixel, and how many pixels differ visibly. */
function difference(one: Uint8Array, other: Uint8Array): { most: number; visible: number } {
  let [most, visible] = [0, 0];
  for (let at = 0; at < one.length; at++) {
    const apart = Math.abs(one[at]! - other[at]!);
    most = Math.max(most, apart);
    if (apart > 24) visible += 1;
  }
  return { most, visible };
}

const SUBJECT = '<circle cx="64" cy="64" r="40" fill="#2040c0"/><circle cx="50" cy="50" r="9" fill="#ffd030"/>';

describe.each(Object.entries(GROUNDS))('a subject on %s', (_, drawnGround) => {
  it.each(['#ffffff', '#101014', '#e040fb'])('shows no old rim on %s, as if it had been drawn there', async (other) => {
    const cut = cutOut(await draw(drawnGround + SUBJECT));
    const wanted = await draw(ground(other) + SUBJECT);
    const { most, visible } = difference(await on(cut!, other), wanted.rgb);
    expect(most).toBeLessThan(40);
    // Of 16,384 pixels, about 250 are on the rim.
    expect(visible).toBeLessThan(30);
  });

  it('is separated from it despite the ripples of a decoder', async () => {
    const cut = cutOut(withNoise(await draw(drawnGround + SUBJECT), 7));
    expect(opacityAt(cut!, 64, 64)).toBe(255);
    for (const [x, y] of [
      [0, 0],
      [127, 127],
      [64, 8],
      [10, 64],
    ] as const)
      expect(opacityAt(cut!, x, y)).toBe(0);
  });
});

const RING =
  '<path fill-rule="evenodd" fill="#803018" d="M24 64a40 40 0 1 0 80 0a40 40 0 1 0-80 0M48 64a16 16 0 1 1 32 0a16 16 0 1 1-32 0"/>';

describe('an enclosed area of the background colour', () => {
  it('is a hole if it is colourful', async () => {
    expect(opacityAt(cutOut(await draw(ground('#f6a5c4') + RING))!, 64, 64)).toBe(0);
  });

  it('stays if it is white, black or grey, like the whites of eyes', async () => {
    for (const grey of ['#ffffff', '#101014', '#9a9da3']) {
      expect(opacityAt(cutOut(await draw(ground(grey) + RING))!, 64, 64)).toBe(255);
    }
  });
});

test('a stroke of one pixel survives', async () => {
  const cut = cutOut(
    await draw(
      `${ground('#3fa65a')}<rect x="20" y="60" width="88" height="1" fill="#ffffff"/><rect x="60" y="40" width="20" height="20" fill="#fff"/>`,
    ),
  );
  expect(opacityAt(cut!, 24, 60)).toBe(255);
  expect(opacityAt(cut!, 24, 58)).toBe(0);
});

test('specks on the background and lines along the edge of the picture are removed', async () => {
  const specks =
    '<rect x="8" y="8" width="2" height="2" fill="#fff"/><rect y="126" width="128" height="2" fill="#7fd69a"/>';
  const cut = cutOut(await draw(ground('#3fa65a') + SUBJECT + specks));
  expect([opacityAt(cut!, 8, 8), opacityAt(cut!, 60, 127)]).toEqual([0, 0]);
});

test("a decoder's halo around the subject is removed with the background", async () => {
  const halo =
    '<radialGradient id="h"><stop offset=".6" stop-color="#60c87c"/><stop offset="1" stop-color="#3fa65a"/></radialGradient><circle cx="64" cy="64" r="62" fill="url(#h)"/>';
  const cut = cutOut(await draw(ground('#3fa65a') + halo + SUBJECT));
  for (const y of [4, 12, 18]) expect(opacityAt(cut!, 64, y)).toBe(0);
  expect(opacityAt(cut!, 64, 64)).toBe(255);
});

test.each([
  ['much', '#2040c0', false],
  ['hardly', '#c84040', true],
])('whether a subject differs %s from the background is told', async (_, fill, isUnclear) => {
  const half = `<circle cx="64" cy="64" r="40" fill="#2040c0"/><path d="M64 24a40 40 0 0 1 0 80" fill="${fill}"/>`;
  expect(cutOut(await draw(ground('#e03030') + half))?.isUnclear).toBe(isUnclear);
});

const uneven: [string, () => Promise<Pixels>][] = [
  ['has nothing on it', () => draw(ground('#3fa65a'))],
  [
    'has something else at its edges',
    () =>
      draw(
        '<linearGradient id="g"><stop stop-color="#f00"/><stop offset="1" stop-color="#00f"/></linearGradient><rect width="128" height="128" fill="url(#g)"/>',
      ),
  ],
  ['has noise for a background', async () => withNoise(await draw(ground('#808080') + SUBJECT), 90)],
];

test.each(uneven)('a picture that %s is not cut out', async (_, pixels) => {
  expect(cutOut(await pixels())).toBeNull();
});

test('pictures of other bundles are refused, with the reason', () => {
  expect(() => checkCutOut({ name: 'pixart-sigma-xl-2-1024' })).toThrow(UserError);
  expect(() => checkCutOut({ name: 'pixart-sigma-xl-2-1024' })).toThrow(/pixart-icons.*whose background is unknown/);
  expect(() => checkCutOut({ name: 'pixart-icons-4-steps' })).not.toThrow();
});
