import type { Bundle } from './bundle.ts';
import { captionText } from './clean-caption.ts';
import { loadTokenizer } from './tokenizer.ts';

/** What a bundle's model gets of a prompt: the text after cleaning, and whether its end is cut off. */
export type PromptReader = { read: (prompt: string) => { text: string; isCut: boolean }; maxTokens: number };

/** Loads the bundle's tokenizer and no network. */
export async function promptReader(bundle: Bundle): Promise<PromptReader> {
  const { maxTokens, cleanCaption } = bundle.description.tokenizer;
  const tokenize = await loadTokenizer(bundle);
  const read = (prompt: string) => {
    const text = captionText(prompt, cleanCaption);
    return { text, isCut: tokenize(text).count > maxTokens };
  };
  return { read, maxTokens };
}
