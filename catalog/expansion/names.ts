import { digestOf } from '../../domain/identity.ts';

const MAX_SUFFIX = 60;

/**
 * What tells the images of one row apart: the chosen texts, where they are short and plain, as in `dark_red-20`; else 12
 * digits of their SHA-256. It follows from the texts alone, so that another alternative renames nothing.
 */
export function suffixOf(texts: readonly string[]): string {
  const words = texts.map(plainWords);
  const joined = words.join('-');
  const isPlain = !words.includes(null) && joined.length <= MAX_SUFFIX;
  return isPlain ? joined : digestOf({ texts }).slice(0, 12);
}

/** Plain is what can be read back from its words; capitals cannot where a file system does not tell them apart. */
function plainWords(text: string): string | null {
  if (text === '') return '_';
  const words = text.replace(':', 'x').replaceAll(' ', '_');
  return /^[a-z0-9.]+( [a-z0-9.]+)*$|^\d+:\d+$/.test(text) ? words : null;
}
