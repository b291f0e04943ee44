/** What histories and Temporal's UI say of an image: its id and how its prompt begins, or its id alone. */
export const SUMMARIES = ['prompts', 'ids'] as const;

export type Summaries = (typeof SUMMARIES)[number];
