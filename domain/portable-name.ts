/** Common file systems take 255 bytes for a part; what is damaged is kept with some fifty more in its name. */
const PART_BYTES = 200;

/** Buckets take 1,024 bytes for a name, folders in front of it included. */
const NAME_BYTES = 900;

/** What Windows takes in no name, what no terminal shows, and halves of surrogate pairs. */
const UNNAMABLE = /[<>:"\\|?*\p{Cc}\p{Surrogate}\u2028\u2029]/gu;

/** Names that Windows takes for devices, whatever ending they have. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i;

const utf8 = new TextEncoder();

/** Whether a text takes more than so many bytes. Browsers and workflows, which read what is written with this, have no Buffer. */
export const isLonger = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && utf8.encode(text).length > bytes;

/** Most names: nothing else of them has to be looked up in Unicode's tables, which takes many times as long. */
const PLAIN = /^[A-Za-z0-9._/ -]*$/;

/** A name in NFC, with `-` for what no file's name may have. */
export const withoutUnnamable = (name: string): string =>
  PLAIN.test(name) ? name : name.normalize('NFC').replace(UNNAMABLE, '-');

/**
 * Why a relative name, of parts with `/` between them, is not one that Linux, macOS, Windows and buckets take alike, and show; `null` where it is.
 *
 * @param most bytes of it
 */
export function nameFault(name: string, most = NAME_BYTES): string | null {
  if (isLonger(name, most)) return `more than ${most} bytes`;
  if (withoutUnnamable(name) !== name) return 'a character that some system refuses, or a letter that is not in NFC';
  for (const part of name.split('/')) {
    if (part === '') return 'an empty part';
    if (/^[._]/.test(part)) return 'a part that begins with "." or "_"';
    if (/^ |[ .]$/.test(part)) return 'a part that begins or ends with a space, or ends with "."';
    if (DEVICE.test(part)) return 'a part that Windows takes for a device';
    if (isLonger(part, PART_BYTES)) return `a part of more than ${PART_BYTES} bytes`;
  }
  return null;
}

/** A name as those compare it who see no capitals, no joiners, and not how letters are composed. */
export const foldedName = (name: string): string =>
  PLAIN.test(name)
    ? name.toLowerCase()
    : name
        .normalize('NFD')
        .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
        .toUpperCase()
        .toLowerCase()
        .normalize('NFC');

/** What stands in the way of a name: another of the same, or a file where it has a folder, or the other way round. */
export type Obstruction<T> = { by: T; isSame: boolean };

/** Names in one place, by what has them. */
export class NameClaims<T> {
  readonly #files = new Map<string, T>();
  readonly #folders = new Map<string, T>();

  /** Takes a name, unless something is in its way. @returns what that is, or `null` */
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

/** Two things that cannot both be there, by what has their names. */
export type Collision<T> = { name: string; first: T; second: T };

/** What of some names cannot be in one place: those that are the same when folded, and a file where another has its folder. */
export function collisionsOf<T>(named: Iterable<readonly [name: string, of: T]>): Collision<T>[] {
  const claims = new NameClaims<T>();
  const found: Collision<T>[] = [];
  for (const [name, second] of named) {
    const obstruction = claims.claim(name, second);
    if (obstruction !== null) found.push({ name, first: obstruction.by, second });
  }
  return found;
}
