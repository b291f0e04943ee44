import { z } from 'zod';

/**
 * Where an image's time goes, in order, and what receipts call it. `wait` is for the device; the rest of the wait is Temporal's
 * queue. `text_encode` is until the captions are there, kept or encoded, which is before the device is waited for. `store` is writing the object and the batch's copy.
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
   * What the image had of the device's time: its stages there, divided among the images that were computed at once. Absent in receipts of
   * workers that computed one at a time, and of images that had no device.
   */
  deviceMs: milliseconds.optional(),
});

export type Timings = z.infer<typeof stagesSchema>;

/** As those workers wrote it. */
const formerSchema = z
  .object({ ...stagesSchema.omit({ textEncodeMs: true, imageEncodeMs: true }).shape, encodeMs: milliseconds })
  .transform(({ encodeMs, ...others }): Timings => ({ ...others, textEncodeMs: encodeMs }));

/** Milliseconds spent in each stage, whatever version wrote them; of a reused image only the copy's. */
export const timingsSchema = z.union([stagesSchema, formerSchema]);
