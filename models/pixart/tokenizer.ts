import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../domain/user-error.ts';
import { type Bundle, bundleFile } from './bundle.ts';
import { charsmapNormalizer } from './charsmap.ts';

export type Tokens = {
  /** Token ids, ending with the end token; at most the bundle's limit. */
  ids: number[];
  /** How many there were before truncation. */
  count: number;
};

export type Tokenize = (text: string) => Tokens;

/** The parts of tokenizer.json that matter here. */
type Definition = {
  model: { type: string; byte_fallback?: boolean };
  pre_tokenizer: PreTokenizer | null;
};

type PreTokenizer = { type: string; pretokenizers?: PreTokenizer[] };

/** The library's normalizer objects; its own declarations do not resolve for ES modules. */
type Normalizer = { normalize(text: string): string; charsmap?: string | null; normalizers?: Normalizer[] };

/**
 * Loads the bundle's `tokenizer.json`. A text longer than the bundle's limit loses its end, but keeps the end token, as
 * T5's tokenizer does in the reference.
 *
 * @throws UserError for a file that is missing or no JSON, and for a kind of tokenizer whose ids would differ from those that the
 * model was trained on
 */
export async function loadTokenizer(bundle: Bundle): Promise<Tokenize> {
  const { maxTokens, eosTokenId } = bundle.description.tokenizer;
  const file = bundleFile(bundle, 'tokenizer.json');
  const definition = await readDefinition(file);
  // The library ignores this option of Unigram models, and characters out of vocabulary would get other ids.
  if (definition.model.type === 'Unigram' && definition.model.byte_fallback) {
    throw new UserError(`${file}: expected a Unigram model without byte_fallback, which is not supported`);
  }
  const tokenizer = new Tokenizer(withUnicodeSpace(definition), {});
  if (tokenizer.normalizer) applyCharsmaps(tokenizer.normalizer);
  return (text) => {
    const { ids } = tokenizer.encode(text);
    const fits = ids.length <= maxTokens;
    return { ids: fits ? ids : [...ids.slice(0, maxTokens - 1), eosTokenId], count: ids.length };
  };
}

async function readDefinition(file: string): Promise<Definition> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UserError(
      `${file}: expected a tokenizer in JSON, found ${(error as Error).message}. "npx pixart-batch bundle verify" checks the whole bundle.`,
    );
  }
}

/** The library splits at what JavaScript calls white space; as a pattern of its own, the split is at Unicode's, as in Rust. */
function withUnicodeSpace(definition: Definition): Definition {
  const rewrite = (part: PreTokenizer): PreTokenizer => {
    if (part.pretokenizers) return { ...part, pretokenizers: part.pretokenizers.map(rewrite) };
    return part.type === 'WhitespaceSplit' ? UNICODE_SPACE_SPLIT : part;
  };
  return { ...definition, pre_tokenizer: definition.pre_tokenizer && rewrite(definition.pre_tokenizer) };
}

const UNICODE_SPACE_SPLIT = { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Removed', invert: false };

/** The library approximates a precompiled table by Unicode's compatibility forms; here the table itself is applied. */
function applyCharsmaps(normalizer: Normalizer): void {
  normalizer.normalizers?.forEach(applyCharsmaps);
  if (normalizer.charsmap) normalizer.normalize = charsmapNormalizer(normalizer.charsmap);
}
