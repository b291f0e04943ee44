/** What every row can be found by, besides the columns that its catalog carries along. */
export const ROW_COLUMNS = [
  ...['id', 'prompt', 'negative_prompt', 'size', 'seed'],
  ...['steps', 'guidance', 'priority', 'width', 'height'],
] as const;
