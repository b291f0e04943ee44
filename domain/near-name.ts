import { closestMatch } from 'leven';
import { foldedName } from './portable-name.ts';

/** The name that a mistyped one most resembles, whatever their case; `undefined` if none is close. */
export function nearName(name: string, known: Iterable<string>): string | undefined {
  const folded = new Map([...known].map((each) => [foldedName(each), each]));
  const maxDistance = Math.min(2, Math.floor(name.length / 3));
  const near = closestMatch(foldedName(name), [...folded.keys()], { maxDistance });
  return near === undefined ? undefined : folded.get(near);
}
