import satisfies from 'spdx-satisfies';
import { z } from 'zod';

const licenceSchema = z.object({ id: z.string().optional(), name: z.string().optional() });

/** The part of a CycloneDX bill of materials that is checked. */
export const billSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      licenses: z
        .array(z.union([z.object({ expression: z.string() }), z.object({ license: licenceSchema })]))
        .default([]),
    }),
  ),
});

export type Bill = z.infer<typeof billSchema>;

/** The licences that components of one bill may have. */
export type LicenceRules = {
  /** SPDX ids: one of the licences in an OR has to be among them, and all of those in an AND. */
  allowed: string[];
  /**
   * By package name, with `*` at its end for anything: packages that state no licence, or one that is acceptable for
   * them alone, and why.
   */
  packages: Record<string, { licence: string; why: string }>;
};

/** Python's classifiers for licences, with their SPDX ids. */
const CLASSIFIERS = new Map([
  ['License :: OSI Approved :: Apache Software License', 'Apache-2.0'],
  ['License :: OSI Approved :: BSD License', 'BSD-3-Clause'],
  ['License :: OSI Approved :: MIT License', 'MIT'],
  ['License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
]);

/** One line for each component that is not allowed, with what to do; empty if all are. */
export const licenceFaults = ({ components }: Bill, { allowed, packages }: LicenceRules): string[] =>
  components.flatMap(({ name, version, licenses }) => {
    const named = licenses.map(nameOf);
    const exception = exceptionOf(name, packages);
    const accepted = exception === undefined ? allowed : [...allowed, exception.licence];
    const found = named.length === 0 && exception !== undefined ? [exception.licence] : named;
    if (found.length > 0 && found.every((licence) => isAmong(licence, accepted))) return [];
    return [
      `${name} ${version}: expected a licence among ${accepted.join(', ')}; found ${found.length === 0 ? 'none' : found.join(' and ')}. Read it, then ` +
        'add it to infra/supply-chain/licences.json (to "allowed", or to "packages" with the reason), or use another package',
    ];
  });

type Licence = Bill['components'][number]['licenses'][number];

function nameOf(licence: Licence): string {
  if ('expression' in licence) return licence.expression;
  const { id, name = 'one without a name' } = licence.license;
  return id ?? CLASSIFIERS.get(name) ?? name;
}

function exceptionOf(name: string, packages: LicenceRules['packages']) {
  const isIt = (pattern: string) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  return Object.entries(packages).find(([pattern]) => isIt(pattern))?.[1];
}

/** A licence that is no SPDX expression has to be listed by its exact name. */
function isAmong(licence: string, accepted: string[]): boolean {
  try {
    return satisfies(licence, accepted);
  } catch {
    return accepted.includes(licence);
  }
}
