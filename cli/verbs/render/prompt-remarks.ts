import { isWordless } from '../../../catalog/notes/lost-words.ts';
import { findMark } from '../../../catalog/notes/prompt-marks.ts';
import { isNegativeUnheard } from '../../../catalog/summary.ts';
import type { Job } from '../../../domain/job.ts';
import type { Bundle } from '../../../models/pixart/bundle.ts';
import { captionText } from '../../../models/pixart/clean-caption.ts';

/** What a plan would tell of one job's prompts. */
export function promptRemarks(job: Job, { description }: Bundle): string[] {
  const mark = findMark(job.prompt) ?? findMark(job.negativePrompt);
  const isEmpty = isWordless(captionText(job.prompt, description.tokenizer.cleanCaption));
  return [
    ...(isNegativeUnheard(job) ? ['the negative prompt has no effect: guidance 1 is without it'] : []),
    ...(isEmpty ? ['warning: cleaning leaves no word of the prompt, so that it counts as empty'] : []),
    ...(mark === null ? [] : [`${JSON.stringify(mark)} in the prompt is text here and steers nothing`]),
  ];
}
