import { expect, test } from 'vitest';
import { runHere } from './run-here.ts';

test.each([
  [['--no-max-cost', '--cost-per-hour', '3'], '--no-max-cost: expected no --cost-per-hour'],
  [['--no-expand', '--terms', 'terms'], '--no-expand: expected no --terms'],
  [['--no-expand', '--sample-seed', '7'], '--no-expand: expected no --sample-seed'],
  [['--no-team', '--weight', '2'], '--no-team: expected no --weight'],
  [['--no-sign', '--sign-prompts'], '--no-sign: expected no --sign-prompts'],
])('"schedule update" refuses to remove a setting that another option refines: %j', async (args, message) => {
  const refused = await runHere(['schedule', 'update', 'nightly', ...args], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test('"schedule update --help" lists the options that remove a sheet and a column mapping', async () => {
  const { stdout } = await runHere(['schedule', 'update', '--help'], {});
  expect(stdout).toMatch(/--no-column .*--no-sheet /s);
});
