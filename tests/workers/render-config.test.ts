import { expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { renderConfig, servedSizes } from '../../workers/render-config.ts';

const settings = { bundle: 'tiny', device: 'cpu', sizes: [], graceSeconds: 30 };

const bundle = {
  name: 'tiny',
  digest: '0'.repeat(64),
  sizes: ['256' as const, '512' as const],
  defaults: { steps: 20, guidance: 4.5 },
};

test.for(['cpu', 'cuda:0', 'cuda:7'])('%s is a device', (device) => {
  expect(renderConfig({ ...settings, device }).device).toBe(device);
});

test.for(['gpu', 'cuda', 'cuda:', 'cuda:-1', 'cuda:1.5', 'CPU', ''])('%j is no device', (device) => {
  expect(() => renderConfig({ ...settings, device })).toThrow(UserError);
});

test('every setting that is wrong is named at once', () => {
  const wrong = { bundle: '', device: 'gpu', sizes: ['300'], threads: 0, graceSeconds: -1 };
  for (const name of Object.keys(wrong)) expect(() => renderConfig(wrong)).toThrow(`at ${name}`);
});

test('a worker that is not told its sizes serves all of its bundle', () => {
  expect(servedSizes([], bundle)).toEqual(['256', '512']);
});

test('a size that is named twice has one queue', () => {
  expect(servedSizes(['512', '512'], bundle)).toEqual(['512']);
});

test('a size that the bundle does not serve is an error that says which it does', () => {
  expect(() => servedSizes(['256', '4k'], bundle)).toThrow(/serves 256, 512, found 4k/);
});
