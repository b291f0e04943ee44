import { expect, test } from 'vitest';
import { Conveniences } from '../../activities/conveniences.ts';
import { ObjectKept, StoreUnavailable } from '../../store/index.ts';

const kept = () => Promise.reject(new ObjectKept('could not write it', 'a hold keeps what is there'));

test('what a store keeps from being replaced is told in one line, and fails nothing', async () => {
  const conveniences = new Conveniences();
  await conveniences.write('rates.json', kept);
  await conveniences.write('manifest.json', async () => {});
  await conveniences.write('latest.json', kept);
  expect(conveniences.warnings).toEqual(['not replaced, since a hold keeps what is there: rates.json, latest.json']);
});

test('where all is written nothing is told, and a store that is away is another matter', async () => {
  const conveniences = new Conveniences();
  await conveniences.write('rates.json', async () => {});
  const away = conveniences.write('rates.json', () => Promise.reject(new StoreUnavailable('away')));
  await expect(away).rejects.toThrow('away');
  expect(conveniences.warnings).toEqual([]);
});
