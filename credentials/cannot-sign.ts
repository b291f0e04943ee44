/** A picture cannot be signed here and now: this worker has no key, the key's service is away, or its certificate has run out. */
export class CannotSign extends Error {
  override readonly name = 'CannotSign';
}
