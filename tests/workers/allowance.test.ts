import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { allowanceOf } from '../../workers/allowance.ts';

test('where nothing of a kind is named, no folder is allowed, every bucket, and https at public addresses', () => {
  expect(allowanceOf([])).toEqual({ paths: [], buckets: null, origins: null, mail: null });
});

test('paths and URLs are sorted by what they are, and written in one way', () => {
  const allowed = ['out', 'file:///srv/a%20b/', '/srv/../data', 'gs://team/images/', 'gs://other'];
  expect(
    allowanceOf([...allowed, 'https://Hooks.example.com:443', 'http://localhost:8080/', 'mailto:Studio.example']),
  ).toEqual({
    paths: [resolve('out'), '/srv/a b', '/data'],
    buckets: ['gs://team/images', 'gs://other'],
    origins: ['https://hooks.example.com', 'http://localhost:8080'],
    mail: ['studio.example'],
  });
});

test.each([
  ...['s3://bucket', 'file://host/share', 'file:///a%2Fb', 'gs://', 'gs://Team', 'gs://team//x', 'gs://team/../x'],
  ...['https://example.com/hooks', 'https://example.com?x', 'https://*.example.com', 'https://me:pass@example.com'],
  ...['http://example.com', 'https://', 'mailto:', 'mailto:me@', 'mailto:studio', 'mailto:a@b.example?cc=c@d.example'],
])('%s is nothing that could be allowed', (place) => {
  expect(() => allowanceOf([place])).toThrow(UserError);
});
