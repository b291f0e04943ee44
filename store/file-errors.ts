import { fileAdvice } from '../domain/file-trouble.ts';
import { UserError } from '../domain/user-error.ts';
import { ObjectKept, ObjectNotFound, StoreUnavailable } from './object-store.ts';
import { shownPlace } from './shown-place.ts';

/** Codes of a file system that has no hard links, allows none here, or has too many to this file. */
const NO_LINK_CODES = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);

/** Permanent errors: waiting does not help, because the file system cannot have this name. */
const lasting: Record<string, string> = {
  ENAMETOOLONG: 'the name is too long for this file system; choose a shorter path',
  ELOOP: 'too many symbolic links lead there; choose another path',
  EILSEQ: 'this file system does not allow such a name; choose another folder',
};

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** ENOTDIR counts too: if a parent is a file, the object does not exist. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '');

export const isNoLink = (error: unknown): boolean => NO_LINK_CODES.has(errorCode(error) ?? '');

/**
 * Turns a file system's error into one of the store's own. Any other error, such as Node.js's for a wrong argument, is
 * returned unchanged.
 *
 * @param doing what was being done, such as `write objects/ab.png (1,204 bytes)`
 */
export function fileStoreError(url: string, doing: string, error: unknown): unknown {
  const code = errorCode(error);
  const failed = `store ${shownPlace(url)}: could not ${doing}`;
  if (code === 'EISDIR') return new ObjectKept(failed, 'a folder is in its place and is left alone');
  if (code === undefined || code.startsWith('ERR_')) return error;
  if (Object.hasOwn(lasting, code)) return new UserError(`${failed}: ${lasting[code]} (${code})`);
  const hint = fileAdvice(code) ?? (error as Error).message;
  return new StoreUnavailable(`${failed}: ${hint} (${code})`, { cause: error });
}

export const notFound = (url: string, name: string): ObjectNotFound =>
  new ObjectNotFound(`store ${shownPlace(url)}: there is no object ${JSON.stringify(name)}`);
