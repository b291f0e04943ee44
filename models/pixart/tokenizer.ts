import { readFile } from 'node:fs/promises';
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../catalog/user-error.ts';
import { type Bundle, bundleFile } from './bundle.ts';

export type Tokens = {
  /** Token ids, ending with the end token; at most the bundle's limit. */
  ids: number[];
  /** How many there were before truncation. */
  count: number;
};

export type Tokenize = (text: string) => Tokens;

/**
 * Loads the bundle's `tokenizer.json`. A text longer than the bundle's limit loses its end, but keeps the end token, as
 * T5's tokenizer does in the reference.
 *
 * @throws UserError for a kind of tokenizer whose ids would differ from those that the model was trained on.
 */
export async function loadTokenizer(bundle: Bundle): Promise<Tokenize> {
  const { maxTokens, eosTokenId } = bundle.description.tokenizer;
  const file = bundleFile(bundle, 'tokenizer.json');
  const definition = JSON.parse(await readFile(file, 'utf8'));
  // The library ignores this option of Unigram models, and characters out of vocabulary would get other ids.
  if (definition.model?.type === 'Unigram' && definition.model.byte_fallback) {
    throw new UserError(`${file}: expected a Unigram model without byte_fallback, which is not supported`);
  }
  const tokenizer = new Tokenizer(definition, {});
  return (text) => {
    const { ids } = tokenizer.encode(text);
    const fits = ids.length <= maxTokens;
    return { ids: fits ? ids : [...ids.slice(0, maxTokens - 1), eosTokenId], count: ids.length };
  };
}
