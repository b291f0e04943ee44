import { z } from 'zod';
import { isLonger, nameFault } from './portable-name.ts';

/** A letter or digit of any script that can be seen; hyphens have always been allowed at an id's beginning. */
const FIRST = String.raw`(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}-]`;
/** Joiners and variants of letters decide how words of some scripts are written, and are nothing without them. */
const LATER = [
  String.raw`(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{N}._-]`,
  String.raw`(?<=[\p{L}\p{M}])(?:\p{Variation_Selector}|\p{Join_Control}(?=[\p{L}\p{M}]))`,
].join('|');
const PART = `${FIRST}(?:${LATER})*`;
const PATH = new RegExp(`^${PART}(?:/${PART})*$`, 'u');

/** What ids were before they had letters of every script: what has been planned with one keeps it. */
const FORMER = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/** Of a part of an id in a catalog: variants and choices put more behind it. */
const PART_BYTES = 120;

/** Leaves room for a batch's folder and that of a round, and for what is put around the name of what was damaged. */
export const IN_BATCH_BYTES = 780;

/** What a catalog may have as an id, for people. */
export const ID_RULE = `letters and digits of any script, ".", "_" and "-", in parts of at most ${PART_BYTES} bytes with "/" between them, none of which begins with "." or "_"`;

/** Whether an id in a catalog keeps the rule. Whether every system takes it as a name, idFault tells. */
export const isCatalogId = (id: string): boolean =>
  !id.split('/').some((part) => isLonger(part, PART_BYTES)) && isPath(id);

/** Most ids are plain, and told from others sooner than by Unicode's tables. */
const isPath = (id: string): boolean => /^[A-Za-z0-9-][A-Za-z0-9._-]*$/.test(id) || PATH.test(id);

/** `; a space is none of these`, of an id that breaks the rule by a character. */
export function strangerIn(id: string): string {
  const found = /[^\p{L}\p{M}\p{N}._/-]/u.exec(id)?.[0];
  if (found === undefined) return '';
  return `; ${found === ' ' ? 'a space' : JSON.stringify(found)} is none of these`;
}

/** Why no file can be called after an id; `null` where one can. @param most bytes of its name */
export const idFault = (id: string, most?: number): string | null => nameFault(`${id}.x`, most);

/** A file's name without its ending, and its folders: relative, and never a way out of where it is put. */
export const jobIdSchema = z.string().refine((id) => FORMER.test(id) || (isPath(id) && idFault(id) === null), ID_RULE);
