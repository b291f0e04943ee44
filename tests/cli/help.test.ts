import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { main } from '../../cli/main.ts';
import { VERBS } from '../../cli/verb-table.ts';

const verbs = Object.keys(VERBS);

let printed: string;

beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed += chunk;
      return true;
    });
  }
});

afterEach(() => vi.restoreAllMocks());

const run = (...args: string[]) => main(['node', 'pixart-batch', ...args]);

/** "npm start" runs "start"; users do not type it. */
const typed = verbs.filter((verb) => verb !== 'start');

test.each(typed)('"%s --help" shows examples that begin with the verb', async (verb) => {
  expect(await run(verb, '--help')).toBe(EXIT.ok);
  expect(printed).toMatch(new RegExp(`Examples:\\n +\\$ npx pixart-batch ${verb}`));
});

test('--help lists every verb and the exit codes', async () => {
  expect(await run('--help')).toBe(EXIT.ok);
  for (const verb of verbs) expect(printed).toMatch(new RegExp(`^ +${verb} `, 'm'));
  for (const code of Object.values(EXIT)) expect(printed).toMatch(new RegExp(`\\b${code} `));
});

test.each([
  ['submit'],
  ['schedule', 'create', 'x'],
  ['plan', 'a.csv', '--size', '300'],
  ['render', 'x', '--device', 'tpu'],
])('wrong usage is reported with exit code 2: %s %s', async (...args) => {
  expect(await run(...args)).toBe(EXIT.badInput);
  expect(printed).toMatch(/^error: /m);
});
