import { closestMatch } from 'leven';
import { foldedName } from './portable-name.ts';
import { named } from './printable.mjs';

const SHOWN = 40;

/** What is wrong with fields of a naming template of which one is not known; `null` where all are. However letters are composed, a name is the same. */
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

/** `; was {id} meant?`, of a field that is spelt almost so, or with other capitals. */
function meantText(field: string, known: readonly string[]): string {
  const folded = new Map(known.map((name) => [foldedName(name), name]));
  const meant = closestMatch(foldedName(field), [...folded.keys()], {
    maxDistance: Math.min(2, Math.floor(field.length / 3)),
  });
  return meant === undefined ? '' : `; was {${named(folded.get(meant)!)}} meant?`;
}
