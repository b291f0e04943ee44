import { resolve } from 'node:path/posix';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beforeEnding, fieldsOf, filledName, readTemplate } from '../../domain/naming-template.ts';
import { UserError } from '../../domain/user-error.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('..', '../..', '/etc/passwd', 'C:\\x', 'CON', 'nul.x', '.git', '_x', 'a/b', 'e\u0301', '\ud800', ' '),
);

const fill = (template: string, values: Record<string, string>) =>
  filledName(readTemplate(template), (field) => new Map(Object.entries(values)).get(field));

describe('a naming template', () => {
  it('names a file by the values of its fields', () => {
    const values = { category: 'Tiere', id: 'Füchslein', seed: '7', ext: 'png' };
    expect(fill('{category}/{id}-{seed}.{ext}', values)).toEqual({ name: 'Tiere/Füchslein-7.png' });
  });

  it('puts a density before the extension', () => {
    const template = beforeEnding(readTemplate('{id}-x.{ext}'), '@2x');
    expect(filledName(template, (field) => field)).toEqual({ name: 'id-x@2x.ext' });
  });

  it('lists its fields, ignoring spaces inside the braces', () => {
    expect([...fieldsOf(readTemplate('{ id }/{id}-{Used for}.{ext}'))]).toEqual(['id', 'Used for', 'ext']);
  });

  it.each([
    '{id}',
    '{id}.png',
    '/{id}.{ext}',
    '../{id}.{ext}',
    '{id}//{seed}.{ext}',
    '{id.{ext}',
    '{}.{ext}',
    '_x/{id}.{ext}',
    'a/./{id}.{ext}',
  ])('is rejected before anything is named: %s', (text) => expect(() => readTemplate(text)).toThrow(UserError));

  it('turns slashes in an id into folders, but not those in other values', () => {
    expect(fill('{category}/{id}.{ext}', { category: 'a/b', id: 'c/d', ext: 'png' })).toEqual({ name: 'a-b/c/d.png' });
  });

  it.each([
    [{ id: '..' }, /begins with/],
    [{ id: 'a/../../b' }, /begins with/],
    [{ id: 'aux' }, /device/],
    [{ id: '' }, /nothing in id/],
    [{}, /nothing in id/],
    [{ id: 'ä'.repeat(100) }, /200 bytes/],
    [{ id: Array(20).fill('x'.repeat(60)).join('/') }, /900 bytes/],
  ])('explains why %j makes no name', (values, fault) => {
    expect(fill('{id}.{ext}', { ext: 'png', ...values } as Record<string, string>)).toEqual({
      fault: expect.stringMatching(fault),
    });
  });

  it('makes names in NFC that stay in the folder, whatever the values', () => {
    fc.assert(
      fc.property(anyText, anyText, (category, id) => {
        const filled = fill('pictures/{category}/{id}.{ext}', { category, id, ext: 'png' });
        if ('fault' in filled) return;
        const { name } = filled;
        expect(name).toBe(name.normalize('NFC'));
        expect(name).not.toMatch(/\p{Surrogate}/u);
        expect(name).toMatch(/^pictures\/.*\.png$/);
        expect(name).not.toMatch(/[<>:"\\|?*\p{Cc}]/u);
        for (const part of name.split('/')) expect(part).toMatch(/^[^._ ](?:.*[^ .])?$/u);
        expect(resolve('/target', name)).toBe(`/target/${name}`);
      }),
      { numRuns: 2_000 },
    );
  });
});
