import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import {
  batchFolder,
  catalogName,
  checkpointName,
  contactSheetName,
  contactSheetPageName,
  copyName,
  manifestName,
  objectName,
  roundCopyName,
  shardName,
  shardReceiptsName,
  sheetFolder,
} from '../../records/layout.ts';
import { checkObjectName } from '../../store/object-name.ts';

const key = 'a'.repeat(64);

describe('the layout of a store', () => {
  test('has one place for everything', () => {
    expect(objectName(key, 'jpeg')).toBe(`objects/${key}.jpg`);
    expect(copyName('night-1', { id: 'cat', format: 'png' })).toBe('batches/night-1/cat.png');
    expect(shardName('night-1', 1, 7)).toBe('batches/night-1/_plan/1-00007.jsonl');
    expect(shardReceiptsName('night-1', 2, 12)).toBe('batches/night-1/_receipts/2-00012.jsonl');
    expect(catalogName('night-1', 'csv')).toBe('batches/night-1/_catalog/catalog.csv');
    expect(manifestName('night-1')).toBe('batches/night-1/manifest.json');
    expect(checkpointName(key)).toBe(`scratch/${key}.latents`);
    expect(contactSheetName('night-1')).toBe('batches/night-1/contact-sheet.webp');
    expect(contactSheetPageName('night-1')).toBe('batches/night-1/contact-sheet.html');
    expect(sheetFolder('night-1')).toBe('batches/night-1/_sheet/');
  });

  test('keeps any batch and id inside the batch’s folder, or refuses them', () => {
    const risky = fc.oneof(fc.string({ unit: fc.constantFrom('.', '/', '\\', 'a', '-', '_', '\0', '%') }), fc.string());
    fc.assert(
      fc.property(risky, risky, (batch, id) => {
        const name = orNull(() => copyName(batch, { id, format: 'png' }));
        if (name === null) return;
        expect(checkObjectName(name)).toBe(name);
        expect(name).toBe(`batches/${batch}/${id}.png`);
        expect(posix.resolve('/store', name)).toBe(`/store/${name}`);
        expect(name.startsWith(batchFolder(batch))).toBe(true);
      }),
    );
  });

  test.each(['', '..', '.hidden', 'a/b', 'a b', '_x', 'x'.repeat(101), 'ü'])('refuses the batch id %j', (batch) => {
    expect(() => manifestName(batch)).toThrow(UserError);
  });

  test('gives a copy its template’s name, always inside the batch’s folder', () => {
    const job = { id: 'cat', format: 'png' as const };
    expect(copyName('b', { ...job, copyAs: 'Tiere/cat-7.png' })).toBe('batches/b/Tiere/cat-7.png');
    expect(roundCopyName('b', 2, { ...job, copyAs: 'Tiere/cat-7.png' })).toBe('batches/b/round-2/Tiere/cat-7.png');
    for (const copyAs of ['../cat.png', '/cat.png', '_plan/1.png', 'round-1/cat.png', 'cat.exe', 'a//b.png', '']) {
      expect(() => copyName('b', { ...job, copyAs }), copyAs).toThrow();
    }
  });

  test.each(['', '..', '../../x', '.x', 'a b', 'a/_b', 'x'.repeat(201)])('refuses the job id %j', (id) => {
    expect(() => copyName('b', { id, format: 'png' })).toThrow();
  });

  test('refuses an invalid render key', () => {
    expect(() => objectName('../../x', 'png')).toThrow();
  });
});

function orNull<T>(action: () => T): T | null {
  try {
    return action();
  } catch {
    return null;
  }
}
