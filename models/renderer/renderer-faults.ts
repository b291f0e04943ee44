import { UserError } from '../../domain/user-error.ts';
import type { RenderStage } from '../pixart/index.ts';
import type { ChildFailure } from './protocol.ts';

/** The child process ended, or had to be ended, before it answered. Another attempt gets a new child. */
export class RendererDied extends Error {
  override readonly name: string = 'RendererDied';
}

/** The child had the image for as long as it may, and was ended: the device hangs, or is far slower than any that we know. */
export class RenderTooLong extends RendererDied {
  override readonly name = 'RenderTooLong';

  constructor(limitMs: number) {
    super(`the device did not finish the image within ${limitMs / 3_600_000} hours`);
  }
}

/** No renderer process can be started here any more. Another worker may continue the image, for which this says nothing. */
export class RendererUnusable extends Error {
  override readonly name = 'RendererUnusable';

  constructor({ message }: Error) {
    super(`this worker can start no renderer process: ${message}`);
  }
}

/** Rendering failed in the child for a reason that is not the request's, such as lack of memory. */
export class RenderFault extends Error {
  override readonly name: string = 'RenderFault';
}

/** A picture found no memory at some stage: a rung lower may have room (see less-memory.ts). The child is gone. */
export class RendererOutOfMemory extends RenderFault {
  readonly stage: RenderStage;

  constructor(message: string, stage: RenderStage) {
    super(message);
    this.stage = stage;
  }
}

/** This program is wrong, and would be again with another child. */
export class RendererBug extends RenderFault {}

/** Converts a child's failure into the caller's error. */
export function faultOf({ cause, outOfMemoryAt, name, message, stack }: ChildFailure): Error {
  if (cause === 'user') return new UserError(message);
  if (cause === 'cancelled') return new Error(message);
  if (outOfMemoryAt !== undefined) return new RendererOutOfMemory(message, outOfMemoryAt);
  const fault = cause === 'code' ? new RendererBug(`unexpected ${name}: ${message}`) : new RenderFault(message);
  if (stack !== undefined) fault.stack = stack;
  return fault;
}
