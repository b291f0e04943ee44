import { expect, test } from 'vitest';
import { runHere } from './run-here.ts';

test.each([
  [['--no-max-cost', '--cost-per-hour', '3'], '--no-max-cost: expected it without --cost-per-hour'],
  [['--no-expand', '--terms', 'terms'], '--no-expand: expected it without --terms'],
  [['--no-expand', '--sample-seed', '7'], '--no-expand: expected it without --sample-seed'],
  [['--no-team', '--weight', '2'], '--no-team: expected it without --weight'],
  [['--no-sign', '--sign-prompts'], '--no-sign: expected it without --sign-prompts'],
])('"schedule update" refuses to take away what it is told more of: %j', async (args, message) => {
  const refused = await runHere(['schedule', 'update', 'nightly', ...args], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test('"schedule update" tells that a sheet and names of columns can be taken away', async () => {
  const { stdout } = await runHere(['schedule', 'update', '--help'], {});
  expect(stdout).toMatch(/--no-column .*--no-sheet /s);
});
