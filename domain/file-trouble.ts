/** Errors of a machine's file systems that its owner can do something about, by their codes. */
const ADVICE = new Map([
  ['ENOSPC', 'the disk is full; free some space'],
  ['EDQUOT', "the user's disk quota is used up; free some space or raise the quota"],
  ['EROFS', 'the file system is read-only; mount it writable or choose another folder'],
  ['EACCES', 'permission denied; let this user read and write there or choose another folder'],
  ['EPERM', 'the operation is not permitted there; choose another folder'],
  ['EFBIG', 'the file is larger than this process or file system allows; raise the limit (ulimit -f)'],
  ['EMFILE', 'this process has too many open files; raise the limit (ulimit -n)'],
  ['ENFILE', 'this machine has too many open files'],
  ['EIO', 'the disk reports a fault; check it'],
  ['EXDEV', 'part of the store is on another file system; keep the whole store on one'],
]);

/** What is wrong and what to do, such as `the disk is full; free some space`; `undefined` for a code that says neither. */
export const fileAdvice = (code: string): string | undefined => ADVICE.get(code);

/** System calls that fail with the same codes, but not because of a file that a process reads or writes. */
const OF_OTHERS = /^(spawn|kill|bind|listen|accept|connect|send|recv|getaddrinfo|uv_)/;

/** The same for an error that a call to the file system threw; `null` for any other error. */
export function fileTrouble(error: unknown): string | null {
  if (!(error instanceof Error && 'syscall' in error && 'code' in error)) return null;
  if (OF_OTHERS.test(String(error.syscall))) return null;
  return fileAdvice(String(error.code)) ?? null;
}
