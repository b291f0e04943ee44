import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collisionsOf, foldedName, nameFault, withoutUnnamable } from '../../domain/portable-name.ts';

describe('a name that every system accepts', () => {
  it.each(['Größe/äpfel-1.png', '图标/苹果.webp', 'العربية.png', 'console.png', 'a b.png', '-.png'])(
    'is %s',
    (name) => {
      expect(nameFault(name)).toBeNull();
    },
  );

  it.each([
    ['a/../b.png', /begins with/],
    ['.git/x.png', /begins with/],
    ['a/_b.png', /begins with/],
    ['/a.png', /empty/],
    ['a//b.png', /empty/],
    ['a./b.png', /ends with/],
    ['a /b.png', /ends with/],
    ['CON/x.png', /device/],
    ['a/nul.png', /device/],
    ['a\\b.png', /refuses/],
    ['a?.png', /refuses/],
    ['u\u0308.png', /NFC/],
    [`${'苹'.repeat(67)}.png`, /200 bytes/],
    [Array(20).fill('x'.repeat(60)).join('/'), /900 bytes/],
  ])('is not %s', (name, fault) => expect(nameFault(name)).toMatch(fault));

  it('is left of any text without the characters that some system refuses, if no part is at fault', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(withoutUnnamable(withoutUnnamable(text))).toBe(withoutUnnamable(text));
        expect(nameFault(withoutUnnamable(text)) ?? '').not.toMatch(/refuses/);
      }),
    );
  });
});

describe('collisions', () => {
  it('are names that differ only in case or normalization, and a file named like the folder of another', () => {
    const names = ['a/Fox.png', 'A/fox.png', 'e\u0301.png', 'é.png', 'x.png/y.png', 'x.png', 'z.png'];
    const found = collisionsOf(names.map((name) => [name, name] as const));
    expect(found.map(({ first, second }) => [first, second])).toEqual([
      ['a/Fox.png', 'A/fox.png'],
      ['e\u0301.png', 'é.png'],
      ['x.png/y.png', 'x.png'],
    ]);
  });

  it('are names without a visible difference', () => {
    expect(foldedName('می\u200cخواهم')).toBe(foldedName('میخواهم'));
    expect(foldedName('Straße')).toBe(foldedName('STRASSE'));
    expect(foldedName('苹果')).not.toBe(foldedName('蘋果'));
  });

  it('are found as by comparing all pairs of names', () => {
    const name = fc
      .array(fc.constantFrom('a', 'A', 'b', 'ß', 'SS', 'ss'), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 6 }), (names) => {
        const clash = (one: string, other: string): boolean => {
          const [a, b] = [foldedName(one), foldedName(other)];
          return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
        };
        const any = names.some((one, at) => names.some((other, place) => place < at && clash(one, other)));
        expect(collisionsOf(names.map((one) => [one, one] as const)).length > 0).toBe(any);
      }),
    );
  });
});
