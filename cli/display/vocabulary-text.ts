const EXAMPLES = 3;

/** `that the model was trained to draw: 110 things such as apple, banana, strawberry (bundle info lists them)` */
export const vocabularyText = (things: readonly string[]): string =>
  `that the model was trained to draw: ${things.length} things such as ${things.slice(0, EXAMPLES).join(', ')} ("bundle info" lists them)`;
