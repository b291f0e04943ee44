import { note } from './output.ts';

/** Says of a listing why some of it is unknown, once for each key. */
export function noteKeysMissing(listed: readonly { keyMissing?: string }[]): void {
  const ids = new Set(listed.flatMap(({ keyMissing }) => keyMissing ?? []));
  for (const id of ids) {
    note(
      `what is unknown here is encrypted with key ${id}; to read it, set PIXART_ENCRYPTION_KEY_FILE to a file that has that key (docs/encryption.md)`,
    );
  }
}
