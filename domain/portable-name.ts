/** Common file systems allow 255 bytes per part; names of damaged files need some fifty more. */
const PART_BYTES = 200;

/** Buckets allow 1,024 bytes for a name, including folders. */
const NAME_BYTES = 900;

/** Characters that Windows forbids in names, control characters, and lone surrogates. */
const UNNAMABLE = /[<>:"\\|?*\p{Cc}\p{Surrogate}\u2028\u2029]/gu;

/** Names that Windows treats as devices, whatever their extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

const utf8 = new TextEncoder();

/** Whether a text takes more bytes than this. Does not use Buffer, which browsers and workflows lack. */
export const isLonger = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && utf8.encode(text).length > bytes;

/** Matches most names, and avoids the Unicode classes, which take many times as long. */
const PLAIN = /^[A-Za-z0-9._/ -]*$/;

/** A name in NFC, with `-` for characters that file names cannot have. */
export const withoutUnnamable = (name: string): string =>
  PLAIN.test(name) ? name : name.normalize('NFC').replace(UNNAMABLE, '-');

/**
 * Why a relative name, with `/` between its parts, is not valid and visible on Linux, macOS, Windows and in buckets; `null`
 * if it is.
 *
 * @param most maximum length in bytes
 */
export function nameFault(name: string, most = NAME_BYTES): string | null {
  if (isLonger(name, most)) return `more than ${most} bytes`;
  if (withoutUnnamable(name) !== name) return 'a character that some system refuses, or a letter that is not in NFC';
  for (const part of name.split('/')) {
    if (part === '') return 'an empty part';
    if (/^[._]/.test(part)) return 'a part that begins with "." or "_"';
    if (/^ |[ .]$/.test(part)) return 'a part that begins or ends with a space, or ends with "."';
    if (DEVICE.test(part)) return 'a part that is a device name on Windows';
    if (isLonger(part, PART_BYTES)) return `a part of more than ${PART_BYTES} bytes`;
  }
  return null;
}

/** A name for comparison that ignores case, joiners and composition. */
export const foldedName = (name: string): string =>
  PLAIN.test(name)
    ? name.toLowerCase()
    : name
        .normalize('NFD')
        .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
        .toUpperCase()
        .toLowerCase()
        .normalize('NFC');

/** What conflicts with a name: the same name, or a file where it needs a folder, or the reverse. */
type Obstruction<T> = { by: T; isSame: boolean };

/** Claims on the names in one folder. */
export class NameClaims<T> {
  readonly #files = new Map<string, T>();
  readonly #folders = new Map<string, T>();

  /** Claims a name, unless it conflicts with another. @returns the conflict, or `null` */
  claim(name: string, by: T): Obstruction<T> | null {
    const folded = foldedName(name);
    const above = foldersAbove(folded);
    const obstruction = this.#obstruction(folded, above);
    if (obstruction === null) this.#files.set(folded, by);
    for (const folder of above) if (!this.#folders.has(folder)) this.#folders.set(folder, by);
    return obstruction;
  }

  #obstruction(folded: string, above: readonly string[]): Obstruction<T> | null {
    const same = this.#files.get(folded);
    if (same !== undefined) return { by: same, isSame: true };
    for (const other of [this.#folders.get(folded), ...above.map((folder) => this.#files.get(folder))]) {
      if (other !== undefined) return { by: other, isSame: false };
    }
    return null;
  }
}

function foldersAbove(name: string): string[] {
  const folders: string[] = [];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) folders.push(name.slice(0, at));
  return folders;
}

/** Two claims that conflict. */
export type Collision<T> = { name: string; first: T; second: T };

/** The names that cannot exist in one folder: equal when folded, or a file where another name needs a folder. */
export function collisionsOf<T>(named: Iterable<readonly [name: string, of: T]>): Collision<T>[] {
  const claims = new NameClaims<T>();
  const found: Collision<T>[] = [];
  for (const [name, second] of named) {
    const obstruction = claims.claim(name, second);
    if (obstruction !== null) found.push({ name, first: obstruction.by, second });
  }
  return found;
}
