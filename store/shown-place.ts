import { fileURLToPath } from 'node:url';
import { withoutSecrets } from '../domain/secrets.ts';

/** A store or file as messages name it: its path if it is on this machine, else its URL without any password. */
export function shownPlace(url: string): string {
  if (!url.startsWith('file:')) return withoutSecrets(url);
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
