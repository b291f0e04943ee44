import type { Bin, Size } from './size.ts';

/** The ratio of height to width as rounded in the reference, with the bin's height and width. */
type Entry = readonly [ratio: number, bin: Readonly<Bin>];

const table = (...rows: [ratio: number, height: number, width: number][]): Entry[] =>
  rows.map(([ratio, height, width]) => [ratio, Object.freeze({ height, width })]);

const divided = (entries: Entry[], by: number): Entry[] =>
  entries.map(([ratio, { height, width }]) => [ratio, Object.freeze({ height: height / by, width: width / by })]);

/** diffusers, pipeline_pixart_alpha.py: ASPECT_RATIO_1024_BIN; its tables for 512 and 256 are this one divided by 2 and 4. */
// biome-ignore format: five bins a line
const BINS_1024 = table(
  [0.25, 512, 2048], [0.28, 512, 1856], [0.32, 576, 1792], [0.33, 576, 1728], [0.35, 576, 1664],
  [0.4, 640, 1600], [0.42, 640, 1536], [0.48, 704, 1472], [0.5, 704, 1408], [0.52, 704, 1344],
  [0.57, 768, 1344], [0.6, 768, 1280], [0.68, 832, 1216], [0.72, 832, 1152], [0.78, 896, 1152],
  [0.82, 896, 1088], [0.88, 960, 1088], [0.94, 960, 1024], [1.0, 1024, 1024], [1.07, 1024, 960],
  [1.13, 1088, 960], [1.21, 1088, 896], [1.29, 1152, 896], [1.38, 1152, 832], [1.46, 1216, 832],
  [1.67, 1280, 768], [1.75, 1344, 768], [2.0, 1408, 704], [2.09, 1472, 704], [2.4, 1536, 640],
  [2.5, 1600, 640], [3.0, 1728, 576], [4.0, 2048, 512],
);

/** diffusers, pipeline_pixart_sigma.py: ASPECT_RATIO_2048_BIN. */
// biome-ignore format: five bins a line
const BINS_2K = table(
  [0.25, 1024, 4096], [0.26, 1024, 3968], [0.27, 1024, 3840], [0.28, 1024, 3712], [0.32, 1152, 3584],
  [0.33, 1152, 3456], [0.35, 1152, 3328], [0.4, 1280, 3200], [0.42, 1280, 3072], [0.48, 1408, 2944],
  [0.5, 1408, 2816], [0.52, 1408, 2688], [0.57, 1536, 2688], [0.6, 1536, 2560], [0.68, 1664, 2432],
  [0.72, 1664, 2304], [0.78, 1792, 2304], [0.82, 1792, 2176], [0.88, 1920, 2176], [0.94, 1920, 2048],
  [1.0, 2048, 2048], [1.07, 2048, 1920], [1.13, 2176, 1920], [1.21, 2176, 1792], [1.29, 2304, 1792],
  [1.38, 2304, 1664], [1.46, 2432, 1664], [1.67, 2560, 1536], [1.75, 2688, 1536], [2.0, 2816, 1408],
  [2.09, 2944, 1408], [2.4, 3072, 1280], [2.5, 3200, 1280], [2.89, 3328, 1152], [3.0, 3456, 1152],
  [3.11, 3584, 1152], [3.62, 3712, 1024], [3.75, 3840, 1024], [3.88, 3968, 1024], [4.0, 4096, 1024],
);

/** PixArt-sigma, diffusion/data/datasets/utils.py: ASPECT_RATIO_2880; and, with exact ratios, 2160×3840 in both orientations. */
// biome-ignore format: five bins a line
const BINS_4K = table(
  [0.25, 1408, 5760], [0.26, 1408, 5568], [0.27, 1408, 5376], [0.28, 1408, 5184], [0.32, 1600, 4992],
  [0.33, 1600, 4800], [0.34, 1600, 4672], [0.4, 1792, 4480], [0.42, 1792, 4288], [0.47, 1920, 4096],
  [0.49, 1920, 3904], [0.51, 1920, 3776], [0.55, 2112, 3840], [2160 / 3840, 2160, 3840], [0.59, 2112, 3584],
  [0.68, 2304, 3392], [0.72, 2304, 3200], [0.78, 2496, 3200], [0.83, 2496, 3008], [0.89, 2688, 3008],
  [0.93, 2688, 2880], [1.0, 2880, 2880], [1.07, 2880, 2688], [1.12, 3008, 2688], [1.21, 3008, 2496],
  [1.28, 3200, 2496], [1.39, 3200, 2304], [1.47, 3392, 2304], [1.7, 3584, 2112], [3840 / 2160, 3840, 2160],
  [1.82, 3840, 2112], [2.03, 3904, 1920], [2.13, 4096, 1920], [2.39, 4288, 1792], [2.5, 4480, 1792],
  [2.92, 4672, 1600], [3.0, 4800, 1600], [3.12, 4992, 1600], [3.68, 5184, 1408], [3.82, 5376, 1408],
  [3.95, 5568, 1408], [4.0, 5760, 1408],
);

const TABLES: Record<Size, readonly Entry[]> = {
  '256': divided(BINS_1024, 4),
  '512': divided(BINS_1024, 2),
  '1024': BINS_1024,
  '2k': BINS_2K,
  '4k': BINS_4K,
};

/** Every bin of a size, from wide to tall. */
export const binsOf = (size: Size): readonly Readonly<Bin>[] => TABLES[size].map(([, bin]) => bin);

/**
 * The bin whose ratio of height to width is nearest; the wider one if two are equally near. Only the ratio of `width` and
 * `height` counts, so 16 and 9 work as well as 1600 and 900. Like diffusers'
 * `PixArtImageProcessor.classify_height_width_bin`, this compares with the table's rounded ratios; except that a bin's exact
 * width and height always select that bin, which would fail for three of the 4K bins.
 */
export function nearestBin(size: Size, width: number, height: number): Readonly<Bin> {
  const own = TABLES[size].find(([, bin]) => bin.width === width && bin.height === height);
  if (own !== undefined) return own[1];
  const ratio = height / width;
  const distance = (entry: Entry): number => Math.abs(entry[0] - ratio);
  return TABLES[size].reduce((best, entry) => (distance(entry) < distance(best) ? entry : best))[1];
}
