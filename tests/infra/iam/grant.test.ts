import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { grantsOf, isIn, PARTS } from './parts.ts';

const IAM = new URL('../../../infra/iam/', import.meta.url);

const grant = (...args: string[]): string =>
  execFileSync(process.execPath, [fileURLToPath(new URL('grant.mjs', IAM)), ...args], { encoding: 'utf8' });

const ROOT = 'projects/_/buckets/studio/objects/images/';

/** The printed commands that bind a role to a part: their permissions and conditions. */
const bindingsOf = (part: string) =>
  grant(part, 'gs://studio/images', 'user:anna@studio.example', 'my-project')
    .trim()
    .split('\n')
    .map((command) => {
      const [, verb = '', condition = ''] =
        /--role=projects\/my-project\/roles\/pixartBatch(\w+) --condition=(.*)$/.exec(command)!;
      const [, expression] = /^'expression=([^,]*),title=pixart-batch [a-z]+(?: \d)?'$/.exec(condition) ?? [];
      return { permission: `storage.objects.${verb.toLowerCase()}`, condition, expression };
    });

/** Evaluates a condition as IAM does, as far as these conditions need it. */
const isMet = (expression: string, resource: string): boolean =>
  expression.split(' || ').some((place) =>
    place
      .replace(/^\(|\)$/g, '')
      .split(' && ')
      .every((call) => {
        const [, whole] = /^resource\.name == "([^"]*)"$/.exec(call) ?? [];
        if (whole !== undefined) return resource === whole;
        const [, name, text = ''] = /^resource\.name\.(\w+)\("([^"]*)"/.exec(call)!;
        if (name === 'extract') return extracted(text, resource) !== '';
        return name === 'startsWith' ? resource.startsWith(text) : resource.endsWith(text);
      }),
  );

function extracted(template: string, resource: string): string {
  const [before = '', after = ''] = template.split('{any}');
  const from = resource.indexOf(before);
  const rest = from < 0 ? '' : resource.slice(from + before.length);
  return rest.slice(0, Math.max(0, rest.indexOf(after)));
}

const PIECES = [
  'batches/',
  'night',
  '/_catalog/',
  'objects/',
  'scratch/',
  '/manifest.json',
  'l',
  '.png',
  '/',
  'captions/',
  'rates/',
  'limits.json',
];
/** No part of an object's name is empty: see store/object-name.ts. */
const names = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 5 })
  .map((pieces) => pieces.join(''))
  .filter((name) => !name.includes('//'));

const [WITH_BUCKET, WITHOUT] = [true, false].map((has) =>
  Object.keys(PARTS).filter((part) => grantsOf(PARTS[part]!).length > 0 === has),
) as [string[], string[]];

test.each(WITHOUT)('a part that needs nothing on the bucket gets no role: %s', (part) => {
  expect(grant(part, 'gs://studio/images', 'user:anna@studio.example', 'my-project')).toMatch(/^#.*nothing.*\n$/);
});

describe.each(WITH_BUCKET)('the commands for a part: %s', (part) => {
  const bindings = bindingsOf(part);
  const permissions = Object.keys(PARTS[part]!.bucket);

  test('bind its permissions, and no others', () => {
    expect(new Set(bindings.map(({ permission }) => permission))).toEqual(new Set(permissions));
  });

  test('grant only listing on the whole bucket', () => {
    const unconditional = bindings.filter(({ condition }) => condition === 'None');
    expect(unconditional.map(({ permission }) => permission)).toEqual(['storage.objects.list']);
  });

  test('have at most the twelve logical operators that a condition may have', () => {
    for (const { expression = '' } of bindings) {
      expect(expression.match(/&&|\|\|/g)?.length ?? 0).toBeLessThanOrEqual(12);
    }
  });

  test('cover the objects in its places, and no others', () => {
    fc.assert(
      fc.property(
        names,
        fc.constantFrom(...permissions.filter((one) => !one.endsWith('.list'))),
        (name, permission) => {
          const places = grantsOf(PARTS[part]!).filter((one) => one.permission === permission);
          const conditions = bindings.filter((one) => one.permission === permission);
          expect(conditions.some(({ expression }) => isMet(expression!, ROOT + name))).toBe(
            places.some(({ place }) => isIn(place, name)),
          );
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('there is a role for each permission, with that permission and no other', () => {
  const needed = new Set(Object.values(PARTS).flatMap(({ bucket }) => Object.keys(bucket)));
  const roles = readdirSync(new URL('roles/', IAM)).map((file) => readFileSync(new URL(`roles/${file}`, IAM), 'utf8'));
  expect(new Set(roles.map((text) => /\nincludedPermissions:\n *- (\S+)\n$/.exec(text)?.[1]))).toEqual(needed);
  const files = [...grant('roles', 'my-project').matchAll(/--file=infra\/iam\/roles\/(\w+)\.yaml/g)];
  expect(files.map(([, verb]) => `storage.objects.${verb}`).sort()).toEqual([...needed].sort());
});

test('without arguments it lists what every part may do', () => {
  const told = grant();
  for (const [name, { who, namespace }] of Object.entries(PARTS)) {
    expect(told).toContain(`${name}: ${who}\n`);
    for (const call of namespace) expect(told).toContain(call);
  }
});

test('a reviewer makes no call that changes anything', () => {
  expect(PARTS.reviewer!.namespace.filter((call) => !/^(Get|Describe|List|Query)/.test(call))).toEqual([]);
});
