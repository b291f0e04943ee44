import { note } from './output.ts';

/** Explains why some values of a listing are unknown, once per key. */
export function noteKeysMissing(listed: readonly { keyMissing?: string }[]): void {
  const ids = new Set(listed.flatMap(({ keyMissing }) => keyMissing ?? []));
  for (const id of ids) {
    note(
      `unknown values are encrypted with key ${id}; to read them, set PIXART_ENCRYPTION_KEY_FILE to a file with that key (docs/encryption.md)`,
    );
  }
}
