/** Case, spaces and hyphens do not tell columns apart: "Negative Prompt" is `negative_prompt`. */
export const foldedName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
