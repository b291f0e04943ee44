import satisfies from 'spdx-satisfies';
import { z } from 'zod';

const licenceSchema = z.object({ id: z.string().optional(), name: z.string().optional() });

/** The part of a CycloneDX bill of materials that is looked at. */
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

/** Which licences components of one bill may have. */
export type LicenceRules = {
  /** SPDX ids; of a choice one has to be among them, of several that hold at once all. */
  allowed: string[];
  /** By name, `*` at its end standing for anything: packages that name no licence, or one that is fine for them alone, and why. */
  packages: Record<string, { licence: string; why: string }>;
};

/** What Python's package index calls licences, where that is one of SPDX's. */
const CLASSIFIERS = new Map([
  ['License :: OSI Approved :: Apache Software License', 'Apache-2.0'],
  ['License :: OSI Approved :: BSD License', 'BSD-3-Clause'],
  ['License :: OSI Approved :: MIT License', 'MIT'],
  ['License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
]);

/** What of a bill is not allowed, in a line each that says what to do; nothing where all is. */
export const licenceFaults = ({ components }: Bill, { allowed, packages }: LicenceRules): string[] =>
  components.flatMap(({ name, version, licenses }) => {
    const named = licenses.map(nameOf);
    const exception = exceptionOf(name, packages);
    const accepted = exception === undefined ? allowed : [...allowed, exception.licence];
    const found = named.length === 0 && exception !== undefined ? [exception.licence] : named;
    if (found.length > 0 && found.every((licence) => isAmong(licence, accepted))) return [];
    return [
      `${name} ${version}: expected a licence among ${accepted.join(', ')}; found ${found.length === 0 ? 'none' : found.join(' and ')}. Read it: ` +
        'add it to infra/supply-chain/licences.json (to "allowed", or to "packages" with the reason), or take another package',
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

/** What is no expression of SPDX's is among them only by its very name. */
function isAmong(licence: string, accepted: string[]): boolean {
  try {
    return satisfies(licence, accepted);
  } catch {
    return accepted.includes(licence);
  }
}
