/** What histories and Temporal's UI show of an image: its id and the start of its prompt, or only its id. */
export const SUMMARIES = ['prompts', 'ids'] as const;

export type Summaries = (typeof SUMMARIES)[number];
