import { join, sep } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkObjectName } from '../../store/object-name.ts';

const parts = fc.array(fc.constantFrom('a', 'b.png', '.', '..', '', '\\', '.tmp', 'ü', '...', '\0', 'c:'), {
  minLength: 1,
});

test('an accepted name resolves to the same path below the root', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        parts.map((list) => list.join('/')),
        fc.string({ unit: 'binary' }),
      ),
      (name) => {
        try {
          checkObjectName(name);
        } catch {
          return;
        }
        const root = `${sep}root`;
        expect(join(root, name)).toBe([root, ...name.split('/')].join(sep));
      },
    ),
  );
});

test.each(['a', 'a/b.png', 'ü/猫 🐱', '...', 'a/.hidden', 'a/.tmp', 'x'.repeat(255)])('accepts %j', (name) => {
  expect(checkObjectName(name)).toBe(name);
});
