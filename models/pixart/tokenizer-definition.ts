import { z } from 'zod';
import kinds from './tokenizer-kinds.json' with { type: 'json' };

const addedTokenSchema = z.looseObject({
  id: z.int().min(0),
  content: z.string(),
  single_word: z.boolean(),
  lstrip: z.boolean(),
  rstrip: z.boolean(),
  normalized: z.boolean(),
});

/** A normalizer, pre-tokenizer or post-processor; a sequence has its parts in one of the three lists. */
const partSchema = z.looseObject({
  type: z.string(),
  get normalizers() {
    return z.array(partSchema).optional();
  },
  get pretokenizers() {
    return z.array(partSchema).optional();
  },
  get processors() {
    return z.array(partSchema).optional();
  },
});

/** What is looked at of tokenizer.json; the library reads the rest. */
export const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedTokenSchema),
  normalizer: partSchema.nullable(),
  pre_tokenizer: partSchema.nullable(),
  post_processor: partSchema.nullable(),
  model: z.looseObject({ type: z.string() }),
});

export type TokenizerDefinition = z.infer<typeof tokenizerSchema>;

export type TokenizerPart = z.infer<typeof partSchema>;

export type AddedToken = z.infer<typeof addedTokenSchema>;

const FIELDS = ['normalizer', 'pre_tokenizer', 'post_processor'] as const;

const NOT_OF_MODEL: Record<string, string[]> = kinds.notOfModel;

/**
 * What in a tokenizer gets other ids from the JavaScript library than from the Rust library, in words of the file.
 * Kinds that were compared, and options of models that must not be set, stand in tokenizer-kinds.json, which the
 * exporter reads too: docs/decisions/022.
 */
export function unsupported(definition: TokenizerDefinition): string[] {
  const others = FIELDS.flatMap((field) =>
    partsOf(definition[field])
      .filter(({ type }) => !kinds[field].includes(type))
      .map(({ type }) => `${field} ${type}`),
  );
  const replacements = partsOf(definition.normalizer).filter((part) => part.type === 'Replace' && !isPlain(part));
  return [
    ...others,
    ...replacements.map(({ pattern }) => `normalizer Replace of ${JSON.stringify(pattern)}`),
    ...ofModel(definition),
  ];
}

function ofModel({ model, pre_tokenizer }: TokenizerDefinition): string[] {
  const options = Object.hasOwn(NOT_OF_MODEL, model.type) ? NOT_OF_MODEL[model.type]! : null;
  if (options === null) return [`model ${model.type}`];
  const set = options.filter((option) => model[option]).map((option) => `model ${model.type} with ${option}`);
  if (model.type === 'Unigram')
    return typeof model.unk_id === 'number' ? set : [...set, 'model Unigram without unk_id'];
  const isByteLevel = partsOf(pre_tokenizer).some(({ type }) => type === 'ByteLevel');
  return isByteLevel ? set : [...set, 'model BPE without pre_tokenizer ByteLevel'];
}

/** JavaScript reads "$" in what is put in, and has other regular expressions; T5's pattern means the same in both. */
function isPlain({ pattern, content }: TokenizerPart): boolean {
  const { String: text, Regex: expression } = (pattern ?? {}) as Record<string, unknown>;
  return (typeof text === 'string' || expression === ' {2,}') && !String(content).includes('$');
}

/** The parts of a sequence, and of sequences in it; one part alone is itself. */
function partsOf(part: TokenizerPart | null): TokenizerPart[] {
  if (part === null) return [];
  return part.type === 'Sequence' ? innerParts(part).flatMap(partsOf) : [part];
}

const innerParts = ({ normalizers, pretokenizers, processors }: TokenizerPart): TokenizerPart[] =>
  normalizers ?? pretokenizers ?? processors ?? [];

/**
 * Added tokens whose id in the file is not the one that the Rust library gives them: that of the vocabulary, or the next after it.
 *
 * @param vocabulary ids of the model's own tokens
 */
export function misnumbered(definition: TokenizerDefinition, vocabulary: ReadonlyMap<string, number>): string[] {
  const { added_tokens, model } = definition;
  const seen = new Set<string>();
  // A list may have a piece twice.
  let next = Array.isArray(model.vocab) ? model.vocab.length : vocabulary.size;
  return added_tokens.flatMap(({ id, content }) => {
    const expected = seen.has(content) ? null : (vocabulary.get(content) ?? next);
    seen.add(content);
    if (expected !== null && expected >= next) next = expected + 1;
    if (expected === id) return [];
    return [`added token ${JSON.stringify(content)} with id ${id} (expected ${expected ?? 'it once'})`];
  });
}
