import type { Bundle } from './bundle.ts';
import { captionText } from './clean-caption.ts';
import { loadTokenizer, type Tokens } from './tokenizer.ts';

/** What a bundle's model gets of a prompt: the text after cleaning, whether its end is cut off, and how much of it is unknown. */
export type PromptReader = {
  read: (prompt: string) => { text: string; isCut: boolean; unknown: Tokens['unknown'] };
  maxTokens: number;
};

/** Loads the bundle's tokenizer and no network. */
export async function promptReader(bundle: Bundle): Promise<PromptReader> {
  const { maxTokens, cleanCaption } = bundle.description.tokenizer;
  const tokenize = await loadTokenizer(bundle);
  const read = (prompt: string) => {
    const text = captionText(prompt, cleanCaption);
    const { count, unknown } = tokenize(text);
    return { text, isCut: count > maxTokens, unknown };
  };
  return { read, maxTokens };
}
