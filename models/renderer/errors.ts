/** The child process ended, or had to be ended, before it answered. Another attempt gets a new child. */
export class RendererDied extends Error {
  override readonly name = 'RendererDied';
}

/** Rendering failed in the child for a reason that is not the request's, such as memory that could not be had. */
export class RenderFault extends Error {
  override readonly name = 'RenderFault';
}
