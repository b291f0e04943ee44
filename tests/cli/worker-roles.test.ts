import { expect, test } from 'vitest';
import { runHere } from './run-here.ts';

test.each([
  [['--orchestrator', '--large'], /--large: expected a worker that renders, found none; add --renderer/],
  [['--encoder', '--large'], /--large: expected a worker that renders/],
  [['--orchestrator', '--without-text-encoder'], /--without-text-encoder: expected a worker that renders/],
  [['--encoder', '--without-text-encoder'], /--encoder: expected a text encoder/],
  [['--renderer', '--deployment', 'studio'], /--deployment: expected a worker with an orchestrator, found none/],
  [['--orchestrator', '--build-id', '1'], /--build-id: expected --deployment as well/],
  [['--orchestrator', '--deployment', 'two words'], /--deployment .*Expected letters, digits, -, _ and/],
  [
    ['--orchestrator', '--deployment', 'studio', '--build-id', 'a:b'],
    /--build-id .*Expected letters, digits, \., - and _/,
  ],
  [['--renderer', '--micro-batch', 'many'], /--micro-batch .*Expected auto or a whole number from 1 to 64\./],
])('a worker refuses what does not fit its role, or is no value: %j', async (args, message) => {
  // Nothing listens there: usage is checked before the server.
  const finished = await runHere(['worker', '--address', '127.0.0.1:1', ...args]);
  expect(finished).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});
