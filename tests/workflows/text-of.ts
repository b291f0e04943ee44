/** A history's text, payloads included, which are bytes. */
export const textOf = (value: unknown): string =>
  value instanceof Uint8Array
    ? Buffer.from(value).toString()
    : value !== null && typeof value === 'object'
      ? Object.values(value).map(textOf).join(' ')
      : String(value);
