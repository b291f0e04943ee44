/** One picture cannot be shown as requested; the others can. The message says why. */
export class CannotShow extends Error {
  override readonly name = 'CannotShow';
}
