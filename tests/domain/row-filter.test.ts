import { expect, test } from 'vitest';
import { matches } from '../../domain/row-filter.ts';
import { jobsOf } from '../catalog/planning.ts';

test.each([
  ['NFC', 'NFD'],
  ['NFD', 'NFC'],
] as const)('a cell in %s is found by column and value in %s', async (inCatalog, asked) => {
  const [job] = await jobsOf('prompt,Größe\na doughnut,Süßes für Zoë\n'.normalize(inCatalog));
  const found = (value: string) => matches(job!, { column: 'Größe'.normalize(asked), pattern: value.normalize(asked) });
  expect(found('Süßes für Zoë')).toBe(true);
  expect(found('Süßes*')).toBe(true);
  expect(found('Suesses*')).toBe(false);
});
