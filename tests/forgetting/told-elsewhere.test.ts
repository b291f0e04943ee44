import { expect, it } from 'vitest';
import { toldElsewhere } from '../../forgetting/told-elsewhere.ts';
import { revisionName } from '../../records/layout.ts';
import { folderStore } from '../activities/rendering.ts';

it.each(['NFC', 'NFD'] as const)('a value in %s is found in catalogs that use either form', async (form) => {
  const store = await folderStore();
  const name = (digit: string) => revisionName('summer', 'corrected', digit.repeat(64), 'jsonl');
  const texts = ['Zoë'.normalize('NFC'), 'Zoë'.normalize('NFD'), String.raw`Zo\u00eb`, 'Zoe'];
  for (const [at, text] of texts.entries()) {
    await store.create(name(`${at}`), Buffer.from(`{"customer": "${text}"}\n`), 'text/plain');
  }
  const found = await toldElsewhere(store, ['summer'], [{ column: 'customer', pattern: 'Zoë'.normalize(form) }]);
  expect(found.sort()).toEqual([name('0'), name('1'), name('2')]);
});
