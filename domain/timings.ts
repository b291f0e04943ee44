import { z } from 'zod';

/**
 * The stages of an image in order, and their names in receipts. `wait` is for the device; other waiting is in Temporal's
 * queue. `text_encode` lasts until the captions are there, stored or encoded, which is before waiting for the device. `store`
 * is writing the object and the batch's copy.
 */
export const STAGES = {
  wait: 'waitMs',
  text_encode: 'textEncodeMs',
  denoise: 'denoiseMs',
  decode: 'decodeMs',
  image_encode: 'imageEncodeMs',
  store: 'storeMs',
} as const;

export type Stage = keyof typeof STAGES;

const milliseconds = z.number();

const stagesSchema = z.object({
  waitMs: milliseconds,
  textEncodeMs: milliseconds,
  denoiseMs: milliseconds,
  decodeMs: milliseconds,
  /** Absent in receipts of workers that counted it as part of `storeMs`. */
  imageEncodeMs: milliseconds.optional(),
  storeMs: milliseconds,
  /**
   * The image's share of device time: its stages there, divided among the images computed at once. Absent in receipts of
   * workers that compute one at a time, and for images that used no device.
   */
  deviceMs: milliseconds.optional(),
});

export type Timings = z.infer<typeof stagesSchema>;

/** The format of those workers. */
const formerSchema = z
  .object({ ...stagesSchema.omit({ textEncodeMs: true, imageEncodeMs: true }).shape, encodeMs: milliseconds })
  .transform(({ encodeMs, ...others }): Timings => ({ ...others, textEncodeMs: encodeMs }));

/** Milliseconds spent in each stage, in any version's format; for a reused image, only the time of copying. */
export const timingsSchema = z.union([stagesSchema, formerSchema]);
