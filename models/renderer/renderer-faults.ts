import { UserError } from '../../domain/user-error.ts';
import type { RenderStage } from '../pixart/index.ts';
import type { ChildFailure } from './protocol.ts';

/** The child process died, or was killed, before it answered. Another attempt gets a new child. */
export class RendererDied extends Error {
  override readonly name: string = 'RendererDied';
}

/** The child exceeded the time limit of an image and was killed: the device hangs, or is slower than any that we know. */
export class RenderTooLong extends RendererDied {
  override readonly name = 'RenderTooLong';

  constructor(limitMs: number) {
    super(`the device did not finish the image within ${limitMs / 3_600_000} hours`);
  }
}

/** No renderer process can be started here any more. The image is not to blame, and another worker may continue it. */
export class RendererUnusable extends Error {
  override readonly name = 'RendererUnusable';

  constructor({ message }: Error) {
    super(`this worker can start no renderer process: ${message}`);
  }
}

/** Rendering failed in the child for a reason other than the request, such as lack of memory. */
export class RenderFault extends Error {
  override readonly name: string = 'RenderFault';
}

/** An image ran out of memory at some stage: a lower rung may have room (see less-memory.ts). The child is gone. */
export class RendererOutOfMemory extends RenderFault {
  readonly stage: RenderStage;

  constructor(message: string, stage: RenderStage) {
    super(message);
    this.stage = stage;
  }
}

/** This program has a bug, which another child would have too. */
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
