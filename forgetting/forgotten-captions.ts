import { inParallel } from '../cleaning/in-parallel.ts';
import type { ObjectSeal } from '../encryption/object-seal.ts';
import { SEAL_BYTES_AT_MOST } from '../encryption/sealed.ts';
import { type Bundle, captionKey, encoderDigest, PIPELINE_VERSION, promptReader } from '../models/pixart/index.ts';
import { CAPTIONS_FOLDER, captionEncoder, captionName } from '../records/layout.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';

/**
 * The names of kept captions of forgotten texts. They are digests that only the tokenizer, and the key if they are
 * encrypted, leads to. So all captions of an encoder whose bundle is missing here, and all that an unknown key
 * encrypted, count as forgotten. A caption is encoded again when it is needed.
 *
 * @param bundles the bundles available here, for their tokenizers
 * @param seal with the keys available here
 */
export async function forgottenCaptions(
  store: ObjectStore,
  bundles: readonly Bundle[],
  seal: ObjectSeal,
  texts: ReadonlySet<string>,
): Promise<Set<string>> {
  const found = new Set<string>();
  if (texts.size === 0) return found;
  const known = new Set<string>();
  const names = new Set<string>();
  for (const bundle of bundles) {
    const encoder = encoderDigest(bundle.description);
    const { read } = await promptReader(bundle);
    known.add(encoder);
    for (const text of texts) for (const name of namesOf(encoder, read(text).ids, seal)) names.add(name);
  }
  await inParallel(store.list(CAPTIONS_FOLDER), async ({ name }) => {
    const encoder = captionEncoder(name);
    if (encoder === null) return;
    if (!known.has(encoder) || names.has(name) || (await isForeign(store, name, seal))) found.add(name);
  });
  return found;
}

/** The names under every version of the pipeline that may have kept the caption, and under every key. */
const namesOf = (encoder: string, ids: readonly number[], seal: ObjectSeal): string[] =>
  Array.from({ length: PIPELINE_VERSION }, (_, before) => captionKey(encoder, ids, before + 1))
    .flatMap((key) => seal.digests(key))
    .map((digest) => captionName(encoder, digest));

async function isForeign(store: ObjectStore, name: string, seal: ObjectSeal): Promise<boolean> {
  const beginning = await readIfThere(store, name, SEAL_BYTES_AT_MOST);
  return beginning !== null && seal.isForeign(beginning);
}
