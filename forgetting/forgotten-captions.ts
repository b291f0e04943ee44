import { type Bundle, captionKey, encoderDigest, PIPELINE_VERSION, promptReader } from '../models/pixart/index.ts';
import { captionEncoder, captionName } from '../records/layout.ts';

/**
 * Which kept captions are of texts that are forgotten. Their names are digests that only the tokenizer leads to: of an encoder whose bundle is not
 * here every caption may be one, and is taken for it. A caption is encoded again when it is needed.
 *
 * @param bundles whose tokenizers are here
 * @param digestsOf under which digests a caption may lie whose plain one is given: see ObjectSeal
 */
export async function forgottenCaptions(
  bundles: readonly Bundle[],
  texts: Iterable<string>,
  digestsOf: (plain: string) => readonly string[],
): Promise<(name: string) => boolean> {
  const all = [...texts];
  if (all.length === 0) return () => false;
  const known = new Set<string>();
  const names = new Set<string>();
  for (const bundle of bundles) {
    const encoder = encoderDigest(bundle.description);
    const { read } = await promptReader(bundle);
    known.add(encoder);
    for (const text of all) {
      for (const key of keysOf(encoder, read(text).ids).flatMap(digestsOf)) names.add(captionName(encoder, key));
    }
  }
  return (name) => {
    const encoder = captionEncoder(name);
    return encoder !== null && (!known.has(encoder) || names.has(name));
  };
}

/** By every version of the pipeline that may have kept it. */
const keysOf = (encoder: string, ids: readonly number[]): string[] =>
  Array.from({ length: PIPELINE_VERSION }, (_, before) => captionKey(encoder, ids, before + 1));
