import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { machine } from '../../../benchmarks/bench/machine.ts';
import { noResults, type Results } from '../../../benchmarks/gpu/results.ts';
import { goalTable } from '../../../benchmarks/gpu/tables.ts';

it('gets tables as its formatter would write them, and prose of 120 columns', () => {
  const results: Results = {
    ...noResults({ device: 'NVIDIA H100', memoryBytes: 80e9, isToy: false }),
    runs: [{ startedAt: '2026-12-01T00:00:00.000Z', minutes: 8, facts: ['GPU: one', ...machine()] }],
    items: { '2k': { state: 'done', series: { ours: [{ seconds: 123.4, images: 1 }] } } },
  };
  const text = `${goalTable(results)}\n`;
  const prose = text.split('\n').filter((line) => !line.startsWith('|'));
  expect(prose.length).toBeGreaterThan(4);
  expect(Math.max(...prose.map(({ length }) => length))).toBeLessThanOrEqual(120);
  const { stdout, stderr } = spawnSync('npx', ['biome', 'format', '--stdin-file-path=docs/tables.md'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toBe(text);
});
