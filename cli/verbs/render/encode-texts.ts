import type { Job } from '../../../domain/job.ts';
import {
  type Bundle,
  promptReader,
  type RequestCaptions,
  requestCaptions,
  verifyPart,
} from '../../../models/pixart/index.ts';
import { createEncoder, type EncoderOptions } from '../../../models/renderer/index.ts';
import { note } from '../../display/output.ts';

/**
 * Encodes a job's texts for the painter. The encoder process ends before the painter starts, to free its memory.
 *
 * @throws UserError if the bundle is damaged or the device is missing; the signal's reason
 */
export async function encodeTexts(
  job: Job,
  bundle: Bundle,
  { signal, ...options }: EncoderOptions & { signal: AbortSignal },
): Promise<{ captions: RequestCaptions; textEncodeMs: number }> {
  await verifyPart(bundle, 'reader');
  const { read, maxTokens } = await promptReader(bundle);
  const { count, isCut } = read(job.prompt);
  if (isCut) note(`the prompt has ${count} tokens; the model sees only the first ${maxTokens}`);
  let loadMs = 0;
  const encoder = createEncoder({
    ...options,
    onStart: (child) => {
      loadMs += child.loadMs;
    },
  });
  const started = performance.now();
  try {
    const captions = await requestCaptions(job, (text) => encoder.encode(read(text).ids, { signal }));
    return { captions, textEncodeMs: performance.now() - started - loadMs };
  } catch (error) {
    encoder.unusable.throwIfAborted();
    throw error;
  } finally {
    await encoder.close();
  }
}
