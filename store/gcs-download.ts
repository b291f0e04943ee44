import type { CreateReadStreamOptions, File } from '@google-cloud/storage';
import { ANSWER_MS } from './gcs-client.ts';

/** How long no byte may arrive once the response has begun. */
const SILENT_MS = 15_000;
const TRIES = 3;

/** Errors of a connection that breaks: the server resets it, or closes it although the response has no length. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE']);

class CutShort extends Error {}

/**
 * An object's bytes. `File.download()` of @google-cloud/storage 7.22 never settles if there is no answer, or if the
 * connection is closed in the middle (findings/download-cut-short-never-settles.sh) or falls silent there. The library
 * retries none of these, nor a connection that is reset in the middle; this does.
 */
export async function downloaded(file: File, options: CreateReadStreamOptions): Promise<Buffer> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await downloadOnce(file, options);
    } catch (error) {
      if (!(error instanceof CutShort) || tries === TRIES) throw error;
    }
  }
}

async function downloadOnce(file: File, options: CreateReadStreamOptions): Promise<Buffer> {
  const stream = file.createReadStream(options);
  const chunks: Buffer[] = [];
  const cutShort = (why: string): CutShort => {
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    return new CutShort(`the download stopped after ${bytes} bytes: ${why}`);
  };
  const cutAfter = (ms: number): NodeJS.Timeout =>
    setTimeout(() => stream.destroy(cutShort(`nothing more arrived for ${ms / 1_000} s`)), ms);
  // Until the response begins, the library retries what is refused or reset.
  let hasBegun = false;
  let silence = cutAfter(ANSWER_MS);
  stream.once('response', () => {
    hasBegun = true;
    clearTimeout(silence);
    if (!stream.destroyed) silence = cutAfter(SILENT_MS);
  });
  try {
    for await (const chunk of stream) {
      silence.refresh();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw hasBegun && BROKEN.has(code) ? cutShort(message) : error;
  } finally {
    clearTimeout(silence);
  }
}
