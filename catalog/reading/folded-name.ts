/** Column names ignore case, spaces and hyphens: "Negative Prompt" is `negative_prompt`. */
export const foldedName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
