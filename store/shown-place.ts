import { fileURLToPath } from 'node:url';
import { withoutSecrets } from '../domain/secrets.ts';

/** A store or a file as a message names it: where people know a path they read a path, otherwise the URL, without any password in it. */
export function shownPlace(url: string): string {
  if (!url.startsWith('file:')) return withoutSecrets(url);
  try {
    return fileURLToPath(url);
  } catch {
    return url;
  }
}
