import type { CreateReadStreamOptions, File } from '@google-cloud/storage';
import { ANSWER_MS } from './gcs-client.ts';

/** How long no byte may arrive once the response has begun. */
const SILENT_MS = 15_000;
const TRIES = 3;

class CutShort extends Error {}

/**
 * An object's bytes. `File.download()` of @google-cloud/storage 7.22 never settles if there is no answer, or if the
 * connection breaks in the middle (findings/download-cut-short-never-settles.sh) or falls silent there, and the library
 * retries none of these; this does.
 */
export async function downloaded(file: File, options: CreateReadStreamOptions): Promise<Buffer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await downloadOnce(file, options);
    } catch (error) {
      if (!isCutShort(error) || tries === TRIES) throw error;
    }
  }
}

async function downloadOnce(file: File, options: CreateReadStreamOptions): Promise<Buffer> {
  const stream = file.createReadStream(options);
  const chunks: Buffer[] = [];
  const cutAfter = (ms: number): NodeJS.Timeout => setTimeout(() => stream.destroy(cutShort(chunks, ms)), ms);
  // Within this time the library retries what is refused.
  let silence = cutAfter(ANSWER_MS);
  stream.once('response', () => {
    clearTimeout(silence);
    if (!stream.destroyed) silence = cutAfter(SILENT_MS);
  });
  try {
    for await (const chunk of stream) {
      silence.refresh();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(silence);
  }
}

const cutShort = (chunks: readonly Buffer[], ms: number): CutShort => {
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  return new CutShort(`the download stopped after ${bytes} bytes: nothing more arrived for ${ms / 1_000} s`);
};

/** Also if the response had no length, in which case the library notices. */
const isCutShort = (error: unknown): boolean =>
  error instanceof CutShort || (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
