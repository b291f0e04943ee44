import { expect, test } from 'vitest';
import { amountOf, costOf } from '../../domain/amounts.ts';

test.each([
  ['2.5', 2.5],
  ['0', 0],
  ['1500000000', 1.5e9],
  ...['', '-1', '2,5', '1e3', ' 2', '.5', '9'.repeat(400)].map((text): [string, null] => [text, null]),
])('%j is an amount of %j', (text, amount) => {
  expect(amountOf(text)).toBe(amount);
});

test('an hour and a half costs one and a half times as much as an hour', () => {
  expect(costOf(5_400, 2.5)).toBe(3.75);
});
