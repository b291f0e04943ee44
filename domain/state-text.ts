/** `completed, 1 failed`: a batch whose images are not all there has not simply completed. */
export const stateText = (state: string, failed: number): string =>
  state === 'completed' && failed > 0 ? `${state}, ${failed} failed` : state;
