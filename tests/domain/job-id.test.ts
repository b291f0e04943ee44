import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { id as idCell } from '../../domain/cells.ts';
import { copyNameOf, isCopyName } from '../../domain/copy-name.ts';
import { idFault, isCatalogId, jobIdSchema } from '../../domain/job-id.ts';
import { nameFault } from '../../domain/portable-name.ts';

const accepted = (text: string): string | null => idCell.safeParse(text).data ?? null;

describe('an id in a catalog', () => {
  it.each([
    'hero-1',
    '-12',
    'a.',
    'Größe/äpfel-1',
    '图标/苹果',
    'العربية',
    'हिन्दी/क्षेत्र',
    'ไทย/น้ำ',
    'می\u200cخواهم',
    'ශ්\u200dරී',
    '葛\u{e0100}飾',
    '𠮷野家',
    '٣٤',
  ])('may be %s', (text) => expect(accepted(text)).toBe(text));

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/../b',
    '/a',
    'a/',
    'a//b',
    '.hidden',
    'a/.b',
    '_x',
    'a/_b',
    'a b',
    'a\\b',
    'a:b',
    'a\u0000b',
    'a\u202eb',
    'a\u200bb',
    '\u3164',
    'a/\u200d',
    '\u0308a',
    'con',
    'a/NUL',
    'com1.x/a',
    'a./b',
    'x'.repeat(121),
    '苹'.repeat(41),
  ])('is not %j', (text) => expect(accepted(text)).toBeNull());

  it('is the same in any Unicode normalization', () => {
    expect(accepted('Gro\u0308ße/a\u0308')).toBe('Größe/ä');
  });

  it('has parts of up to 120 bytes, which leave room for variants, choices and an extension', () => {
    const longest = 'x'.repeat(120);
    expect(accepted(`${longest}/${longest}`)).not.toBeNull();
    expect(nameFault(`${longest}-${'c'.repeat(60)}_1000-1000.avif`)).toBeNull();
  });

  const risky = fc.string({
    unit: fc.oneof(
      fc.constantFrom('.', '/', '_', '-', 'a', 'Ä', 'a\u0308', '苹', '\u200d', '\u0300', '\\', ' '),
      fc.string({ unit: 'grapheme', maxLength: 1 }),
    ),
  });

  it('names a file within its folder that every system accepts, whatever the text', () => {
    fc.assert(
      fc.property(risky, (text) => {
        const id = accepted(text);
        if (id === null) return;
        expect(id).toBe(text.normalize('NFC'));
        expect(jobIdSchema.parse(id)).toBe(id);
        const name = copyNameOf({ id, format: 'png' });
        expect(nameFault(name)).toBeNull();
        expect(isCopyName(name) || name.split('/')[0]!.toLowerCase().startsWith('manifest')).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an id that an earlier version planned', () => {
  const former = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/);

  it('can still be read, and its copy keeps its name', () => {
    fc.assert(
      fc.property(former, (id) => {
        expect(jobIdSchema.parse(id)).toBe(id);
        expect(copyNameOf({ id, format: 'jpeg' })).toBe(`${id}.jpg`);
        expect(isCopyName(`${id}.jpg`)).toBe(true);
      }),
    );
  });

  it('may be a name that the batch now uses for its own files', () => {
    const names = ['contact-sheet-2', 'manifest-1'].map((id) => copyNameOf({ id, format: 'webp' }));
    expect(names).toEqual(['contact-sheet-2.webp', 'manifest-1.webp']);
    for (const copyAs of names) expect(copyNameOf({ id: 'a', format: 'webp', copyAs })).toBe(copyAs);
  });

  it('is still valid in catalogs, except for Windows device names and a leading underscore', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9-][A-Za-z0-9._-]{0,119}$/), (id) => {
        expect(isCatalogId(id)).toBe(true);
        expect(accepted(id)).toBe(idFault(id) === null ? id : null);
      }),
    );
    expect(['_x', 'con', 'NUL', 'lpt1.a'].map(accepted)).toEqual([null, null, null, null]);
    expect(['_x', 'con', 'NUL', 'lpt1.a'].map((id) => jobIdSchema.parse(id))).toEqual(['_x', 'con', 'NUL', 'lpt1.a']);
  });
});
