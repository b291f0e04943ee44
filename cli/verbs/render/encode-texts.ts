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
 * What the painter sees of a job's texts. The encoder's process has ended by then, so that its memory is free for the painter's.
 *
 * @throws UserError where the bundle is damaged or the device not there; the signal's reason
 */
export async function encodeTexts(
  job: Job,
  bundle: Bundle,
  { signal, ...options }: EncoderOptions & { signal: AbortSignal },
): Promise<{ captions: RequestCaptions; textEncodeMs: number }> {
  await verifyPart(bundle, 'reader');
  const { read, maxTokens } = await promptReader(bundle);
  const { count, isCut } = read(job.prompt);
  if (isCut) note(`the prompt has ${count} tokens; the model sees ${maxTokens} of them, and not its end`);
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
