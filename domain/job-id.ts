import { z } from 'zod';
import { isLonger, nameFault } from './portable-name.ts';

/** A visible letter or digit of any script; leading hyphens have always been allowed. */
const FIRST = String.raw`(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}-]`;
/** Joiners and variation selectors matter in some scripts, but only after letters. */
const LATER = [
  String.raw`(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{N}._-]`,
  String.raw`(?<=[\p{L}\p{M}])(?:\p{Variation_Selector}|\p{Join_Control}(?=[\p{L}\p{M}]))`,
].join('|');
const PART = `${FIRST}(?:${LATER})*`;
const PATH = new RegExp(`^${PART}(?:/${PART})*$`, 'u');

/** The rule for ids of earlier versions, before other scripts were allowed: existing plans keep them. */
const FORMER = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/** Maximum length of a part of an id in a catalog: variants and choices append to it. */
const PART_BYTES = 120;

/** Leaves room for the folders of a batch and a round, and for the affixes in names of damaged files. */
export const IN_BATCH_BYTES = 780;

/** The rule for ids in a catalog, for people. */
export const ID_RULE = `letters and digits of any script, ".", "_" and "-", in parts of at most ${PART_BYTES} bytes with "/" between them, none of which begins with "." or "_"`;

/** Whether an id in a catalog follows the rule; idFault checks whether every system accepts it as a file name. */
export const isCatalogId = (id: string): boolean =>
  !id.split('/').some((part) => isLonger(part, PART_BYTES)) && isPath(id);

/** Most ids are plain ASCII, which is faster to check than Unicode classes. */
const isPath = (id: string): boolean => /^[A-Za-z0-9-][A-Za-z0-9._-]*$/.test(id) || PATH.test(id);

/** `; a space is none of these`, for an id with an invalid character. */
export function strangerIn(id: string): string {
  const found = /[^\p{L}\p{M}\p{N}._/-]/u.exec(id)?.[0];
  if (found === undefined) return '';
  return `; ${found === ' ' ? 'a space' : JSON.stringify(found)} is none of these`;
}

/** Why an id cannot be a file name; `null` if it can. @param most maximum bytes of the name */
export const idFault = (id: string, most?: number): string | null => nameFault(`${id}.x`, most);

/** A file name with folders, without extension: relative, and never leading out of its folder. */
export const jobIdSchema = z.string().refine((id) => FORMER.test(id) || (isPath(id) && idFault(id) === null), ID_RULE);
