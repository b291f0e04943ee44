import { UserError } from '../domain/user-error.ts';

/** Cloud Storage allows 1,024 bytes for a whole name; common file systems allow 255 for one part of it. */
const NAME_BYTES = 1024;
const PART_BYTES = 255;

/** Where a folder keeps files that are not objects yet; no object's name may begin with it. */
export const TEMP_FOLDER = '.tmp';

/** Objects that may be lost at any time. The docs recommend a lifecycle rule for this prefix; in a folder, leftovers are swept. */
export const SCRATCH_FOLDER = 'scratch';

/**
 * The last check before a folder or bucket. layout.ts makes the names, so a refusal here is a caller's mistake or an attempt to get
 * out of the store.
 *
 * @throws UserError unless the name is relative, made of plain parts with `/` between them, and valid in every kind of store
 */
export function checkObjectName(name: string): string {
  const fault = faultOf(name);
  if (fault === null) return name;
  throw new UserError(
    `object name: expected parts such as "batches/b1/cat.png", found ${JSON.stringify(name.slice(0, 200))} (${fault})`,
  );
}

function faultOf(name: string): string | null {
  if (Buffer.byteLength(name) > NAME_BYTES) return `longer than ${NAME_BYTES} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'a control character';
  if (/\p{Surrogate}/u.test(name)) return 'half a surrogate pair';
  if (name.includes('\\')) return 'a backslash';
  const parts = name.split('/');
  if (parts.includes('')) return 'an empty part';
  if (parts.includes('.') || parts.includes('..')) return 'a part that is "." or ".."';
  if (parts[0] === TEMP_FOLDER) return `"${TEMP_FOLDER}" is reserved`;
  if (parts.some((part) => Buffer.byteLength(part) > PART_BYTES)) return `a part longer than ${PART_BYTES} bytes`;
  return null;
}
