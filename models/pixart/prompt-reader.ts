import type { Bundle } from './bundle.ts';
import { captionText } from './clean-caption.ts';
import { loadTokenizer, type Tokens } from './tokenizer.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';

/** What a bundle's model sees of a prompt: the cleaned text, its tokens, whether its end is cut off, and how much is unknown. */
export type PromptReader = {
  read: (prompt: string) => Tokens & { text: string; isCut: boolean };
  /** The same without the tokens, which need not be found for most prompts then. */
  look: (prompt: string) => Pick<Tokens, 'unknown'> & { text: string; isCut: boolean };
  maxTokens: number;
  /** What the model can draw; `null` where the bundle does not say. */
  vocabulary: Vocabulary | null;
};

/**
 * Loads the bundle's tokenizer and no network.
 *
 * @throws UserError for a vocabulary beside it that is none
 */
export async function promptReader(bundle: Bundle): Promise<PromptReader> {
  const { maxTokens, cleanCaption } = bundle.description.tokenizer;
  const tokenize = await loadTokenizer(bundle);
  const read = (prompt: string) => {
    const text = captionText(prompt, cleanCaption);
    const tokens = tokenize(text);
    return { ...tokens, text, isCut: tokens.count > maxTokens };
  };
  const look = (prompt: string) => {
    const text = captionText(prompt, cleanCaption);
    if (tokenize.atMost(text) <= maxTokens) return { text, isCut: false, unknown: 'none' as const };
    return read(prompt);
  };
  return { read, look, maxTokens, vocabulary: await readVocabulary(bundle) };
}
