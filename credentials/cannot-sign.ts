/** A picture cannot be signed here and now: this worker has no key, the key service is down, or the certificate has expired. */
export class CannotSign extends Error {
  override readonly name = 'CannotSign';
}
