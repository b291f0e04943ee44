import { expect, test } from 'vitest';
import { countOf, used } from '../../benchmarks/whole-product/processes.ts';

test('a process that started or exited between two samples does not reduce what the others used', () => {
  const before = new Map([
    [1, { kind: 'renderers' as const, seconds: 10 }],
    [2, { kind: 'encoder' as const, seconds: 70 }],
  ]);
  const after = new Map([
    [1, { kind: 'renderers' as const, seconds: 14 }],
    [3, { kind: 'encoder' as const, seconds: 5 }],
  ]);
  expect(used(before, after)).toMatchObject({ renderers: 4, encoder: 0, worker: 0 });
  expect(countOf(after, 'renderers')).toBe(1);
});
