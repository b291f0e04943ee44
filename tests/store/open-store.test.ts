import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { openStore, storeUrl } from '../../store/open-store.ts';

test('turns a path into a file URL and leaves a URL as it is', () => {
  expect(storeUrl('out dir/ü')).toBe(pathToFileURL('out dir/ü').href);
  expect(storeUrl('/a/b')).toBe(pathToFileURL('/a/b').href);
  for (const url of ['gs://bucket/a b', 'file:///a', 's3://bucket']) expect(storeUrl(url)).toBe(url);
  expect([storeUrl('GS://bucket/A'), storeUrl('File:///A')]).toEqual(['gs://bucket/A', 'file:///A']);
});

test.each(['s3://bucket/x', 'https://example.com', 'out', ''])('lists what is supported when given %j', (url) =>
  expect(openStore(url)).rejects.toThrow(/expected file:\/\/\/folder or gs:\/\/bucket\/prefix/),
);

test('refuses a file URL with a host, as when a slash is missing', () =>
  expect(openStore('file://out/x')).rejects.toThrow(UserError));

test('opens a store once per process, and tries again after a failure', async () => {
  expect(await openStore(storeUrl('/never/made'))).toBe(await openStore(storeUrl('/never/made')));
  const [first, second] = [openStore('s3://x'), openStore('s3://x')];
  await expect(first).rejects.toThrow();
  await expect(second).rejects.toThrow();
  expect(openStore('s3://x')).not.toBe(first);
  await expect(openStore('s3://x')).rejects.toThrow();
});
