import { expect, test } from 'vitest';
import { billSchema, licenceFaults } from '../../infra/supply-chain/licences.ts';

const rules = {
  allowed: ['MIT', 'Apache-2.0', 'BSD-3-Clause'],
  packages: { '@img/*': { licence: 'LGPL-3.0-or-later', why: 'linked' }, silent: { licence: 'MIT', why: 'its file' } },
};

const faultsOf = (name: string, ...licenses: object[]): string[] =>
  licenceFaults(
    billSchema.parse({ bomFormat: 'CycloneDX', components: [{ name, version: '1.0.0', licenses }] }),
    rules,
  );

test.each([
  ['an allowed one', 'a', [{ license: { id: 'MIT' } }]],
  ['a choice with one that is allowed', 'a', [{ expression: '(MIT OR GPL-3.0-only)' }]],
  ['several that are all allowed', 'a', [{ expression: 'MIT AND Apache-2.0' }]],
  ["a name from Python's package index", 'a', [{ license: { name: 'License :: OSI Approved :: BSD License' } }]],
  ['an exception', '@img/sharp', [{ license: { id: 'LGPL-3.0-or-later' } }]],
  ['none, for a package with a known licence', 'silent', []],
])('accepts a licence: %s', (_, name, licences) => {
  expect(faultsOf(name, ...licences)).toEqual([]);
});

test.each([
  ['an unknown one', 'a', [{ license: { id: 'SSPL-1.0' } }], /found SSPL-1\.0/],
  ['none', 'a', [], /found none/],
  [
    'several with one that is not allowed',
    'a',
    [{ expression: 'MIT AND GPL-3.0-only' }],
    /found MIT AND GPL-3\.0-only/,
  ],
  [
    'two, one of which is not allowed',
    'a',
    [{ license: { id: 'MIT' } }, { license: { name: 'Mine' } }],
    /found MIT and Mine/,
  ],
  ["another package's exception", 'a', [{ license: { id: 'LGPL-3.0-or-later' } }], /found LGPL-3\.0-or-later/],
])('rejects a licence and says what to do: %s', (_, name, licences, found) => {
  const faults = faultsOf(name, ...licences);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(found);
  expect(faults[0]).toMatch(/^a 1\.0\.0: expected a licence among .*add it to infra\/supply-chain\/licences\.json/);
});
