import { isWordless } from '../../../catalog/notes/lost-words.ts';
import { findMark } from '../../../catalog/notes/prompt-marks.ts';
import { isNegativeUnheard } from '../../../catalog/summary.ts';
import type { Job } from '../../../domain/job.ts';
import type { Bundle } from '../../../models/pixart/bundle.ts';
import { captionText } from '../../../models/pixart/clean-caption.ts';
import { readVocabulary } from '../../../models/pixart/vocabulary.ts';
import { vocabularyText } from '../../display/vocabulary-text.ts';

/** What a plan would report about one job's prompts. */
export async function promptRemarks(job: Job, bundle: Bundle): Promise<string[]> {
  const mark = findMark(job.prompt) ?? findMark(job.negativePrompt);
  const text = captionText(job.prompt, bundle.description.tokenizer.cleanCaption);
  const isEmpty = isWordless(text);
  const vocabulary = await readVocabulary(bundle);
  return [
    ...(isNegativeUnheard(job) ? ['the negative prompt has no effect: guidance 1 ignores it'] : []),
    ...(isEmpty ? ['warning: the prompt has no words left after cleaning, so it counts as empty'] : []),
    ...(isEmpty || vocabulary === null || vocabulary.isNamedIn(text)
      ? []
      : [`warning: the prompt names nothing ${vocabularyText(vocabulary.things)}`]),
    ...(mark === null ? [] : [`${JSON.stringify(mark)} in the prompt is plain text here`]),
  ];
}
