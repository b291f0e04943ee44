/** A history's text, including its payloads, which are bytes. */
export const textOf = (value: unknown): string =>
  value instanceof Uint8Array
    ? Buffer.from(value).toString()
    : value !== null && typeof value === 'object'
      ? Object.values(value).map(textOf).join(' ')
      : String(value);
