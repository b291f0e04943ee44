import type { RenderStage } from './ladder.ts';
import { saysNoMemory } from './session.ts';

/** A stage of a picture found no memory. The process may still hold what it took: another one goes on. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
  readonly stage: RenderStage;

  constructor(stage: RenderStage, said: string) {
    super(`there is not enough memory to ${stage} the image: ${said}`);
    this.stage = stage;
  }
}

/**
 * What to catch a stage's errors with. Not a wrapper: each function between the activity and the sampler is one more to read.
 *
 * @throws OutOfMemory in place of an error that says that there is no memory; otherwise the error
 */
export const sayingOutOfMemory =
  (stage: RenderStage) =>
  (error: unknown): never => {
    const { name, message } = error as Error;
    if (name === 'UserError' || !saysNoMemory(message)) throw error;
    throw new OutOfMemory(stage, message);
  };
