import { expect, test } from 'vitest';
import { runHere } from '../cli/run-here.ts';
import { blocksOf } from './code-blocks.ts';

test('a plan of the example catalog prints what the guide shows', async () => {
  const empty = 'a-store-that-nobody-has';
  const { stdout } = await runHere(['plan', 'examples/catalog.csv', '--bundle', 'pixart-icons', '--store', empty]);
  const shown = blocksOf('docs/guide.md').find(({ lines }) => lines[0]!.startsWith('examples/catalog.csv:'));
  const lines = stdout
    .replaceAll(empty, 'out')
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
  expect(lines).toEqual(shown!.lines);
});
