import type { Bundle } from './bundle.ts';
import { captionText } from './clean-caption.ts';
import { loadTokenizer } from './tokenizer.ts';

/** Says of prompts whether the bundle's model reads less than all of them. Loads the tokenizer and no network. */
export async function promptLimit(bundle: Bundle): Promise<(prompt: string) => boolean> {
  const { maxTokens, cleanCaption } = bundle.description.tokenizer;
  const tokenize = await loadTokenizer(bundle);
  return (prompt) => tokenize(captionText(prompt, cleanCaption)).count > maxTokens;
}
