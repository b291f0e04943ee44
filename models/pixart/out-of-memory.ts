import type { HungryStage } from './ladder.ts';
import { saysNoMemory } from './session.ts';

/** A stage of a picture found no memory. The process may still hold what it took: another one goes on. */
export class OutOfMemory extends Error {
  override readonly name = 'OutOfMemory';
  readonly stage: HungryStage;

  constructor(stage: HungryStage, said: string) {
    super(`there is no memory to ${stage} the picture: ${said}`);
    this.stage = stage;
  }
}

/** @throws OutOfMemory in place of an error that says that there is no memory */
export async function tellingMemory<T>(stage: HungryStage, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'UserError' || !saysNoMemory(message)) throw error;
    throw new OutOfMemory(stage, message);
  }
}
