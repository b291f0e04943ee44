import { expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { storeLinks } from '../../workers/store-links.ts';

test('an object of a store that has a public address is found there', () => {
  const { publicUrl } = storeLinks(
    'gs://studio/images/=https://images.studio.example/all/, /srv/out=https://files.example',
  );
  expect(publicUrl('gs://studio/images')?.('batches/a/häuser und #1.png')).toBe(
    'https://images.studio.example/all/batches/a/h%C3%A4user%20und%20%231.png',
  );
  expect(publicUrl('file:///srv/out/')?.('x')).toBe('https://files.example/x');
  expect(publicUrl('gs://studio')).toBeNull();
  expect(storeLinks(undefined).publicUrl('gs://studio')).toBeNull();
});

test.each([
  'gs://studio',
  'gs://studio=http://images.example',
  '=https://images.example',
  'gs://a=https://u:p@b.example',
  'gs://a=https://b.example?x',
])('%s is no such address', (text) => {
  expect(() => storeLinks(text)).toThrow(UserError);
});
