/** `completed, 1 failed`: a completed batch may still lack images. */
export const stateText = (state: string, failed: number): string =>
  state === 'completed' && failed > 0 ? `${state}, ${failed} failed` : state;
