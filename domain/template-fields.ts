import { nearName } from './near-name.ts';
import { named } from './printable.mjs';

const SHOWN = 40;

/** The problem if a field of a naming template is unknown; `null` if all are known. NFC and NFD count as equal. */
export function unknownField(
  fields: Iterable<string>,
  known: readonly string[],
): { expected: string; found: string } | null {
  const composed = new Set(known.map((name) => name.normalize('NFC')));
  const field = [...fields].find((name) => !composed.has(name.normalize('NFC')));
  if (field === undefined) return null;
  return {
    expected: `fields among ${known.slice(0, SHOWN).map(named).join(', ')}`,
    found: `{${named(field)}}${meantText(field, known)}`,
  };
}

/** `; did you mean {id}?`, for a field with a similar spelling, or in another case. */
function meantText(field: string, known: readonly string[]): string {
  const meant = nearName(field, known);
  return meant === undefined ? '' : `; did you mean {${named(meant)}}?`;
}
