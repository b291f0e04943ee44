import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runHere } from './run-here.ts';

const run = promisify(execFile);

/** What is typed before Tab, and what is offered. */
const TYPED: [line: string, offered: string[]][] = [
  ['sched', ['schedule']],
  ['schedule up', ['update']],
  ['schedule li', ['list']],
  ['submit --max-', ['--max-cost', '--max-failures', '--max-jobs', '--max-per-row']],
  ['schedule update nightly --overlap wait', ['wait-all', 'wait-one']],
  ['plan --image-format w', ['webp']],
  ['completion ', ['bash', 'fish', 'zsh']],
  ['schedule list --l', []],
  ['list --l', ['--limit']],
];

/** The same for names on the machine: batches in the folder out, and bundles in another. */
const NAMED: [line: string, offered: string[]][] = [
  ['status spr', ['spring', 'spring-2']],
  ['retry aut', ['autumn']],
  ['plan --bundle ti', ['tiny']],
  ['bundle verify pixart-icons-4', ['pixart-icons-4-steps']],
  ['schedule trigger spr', []],
];

const lastWord = (line: string): string => line.slice(line.lastIndexOf(' ') + 1);

/** Functions that return what each shell offers, including file names if it falls back to them. */
const SHELLS: Record<string, (script: string, line: string) => Promise<string[]>> = {
  async bash(script, line) {
    const words = `pixart-batch ${line}`.split(' ');
    const ask = `source "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _pixart_batch; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run('bash', ['--norc', '-c', ask, 'bash', script, ...words]);
    return stdout.split('\n').filter((word) => word !== '');
  },
  async fish(script, line) {
    const ask = 'source $argv[1]; complete -C "pixart-batch $argv[2]"';
    const { stdout } = await run('fish', ['--no-config', '-c', ask, script, line]);
    return stdout.split('\n').flatMap((offer) => (offer === '' ? [] : [offer.split('\t')[0]!]));
  },
  /** zsh only completes on a terminal: this reads what it inserts for a word with a single completion. */
  async zsh(script, line) {
    const ask = [
      'zmodload zsh/zpty',
      'zpty shell zsh -f -i',
      'zpty -w shell "PS1=; bindkey -e; autoload -U compinit; compinit -u -D; source $1; tell() { print -r -- \\"<<\\$*>>\\" }"',
      `zpty -w -n shell "$2"$'\\t\\x01tell \\x05\\n'`,
      `zpty -w shell 'exit'`,
      `while zpty -r shell part; do print -rn -- "$part"; done`,
    ].join('\n');
    const { stdout } = await run('zsh', ['-f', '-c', ask, 'zsh', script, `pixart-batch ${line}`]);
    // Depending on how the line was edited, a space may follow a complete word.
    const told = [...stdout.matchAll(/<<(pixart-batch [^>$]*?) *>>/g)].at(-1)?.[1] ?? '';
    return lastWord(told) === lastWord(line) ? [] : [lastWord(told)];
  },
};

/** The shells that this machine has; every machine has bash. */
const shells = Object.keys(SHELLS).filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-completion-'));
  for (const batch of ['spring', 'spring-2', 'autumn', '$(touch run)']) {
    await mkdir(path.join(folder, 'out', 'batches', batch), { recursive: true });
  }
  await cp('tests/golden/bundles/tiny-epsilon', path.join(folder, 'my bundles', 'tiny'), { recursive: true });
  vi.stubEnv('PIXART_STORE', path.join(folder, 'out'));
  vi.stubEnv('PIXART_BATCH_BUNDLES', path.join(folder, 'my bundles'));
});

afterAll(() => {
  vi.unstubAllEnvs();
  return rm(folder, { recursive: true });
});

test('bash is installed', () => expect(shells).toContain('bash'));

describe.each(shells)('what %s offers', (shell) => {
  let script: string;

  beforeAll(async () => {
    const made = await runHere(['completion', shell]);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    script = path.join(folder, `script.${shell}`);
    await writeFile(script, made.stdout);
  });

  // A terminal shows a single completion, but only the common prefix of several.
  const typed = [...TYPED, ...NAMED].filter(([, offered]) => shell !== 'zsh' || offered.length === 1);

  test.each(typed)('for "%s" is %j', async (line, offered) => {
    expect((await SHELLS[shell]!(script, line)).sort()).toEqual(offered);
  });

  test('names from the store run no command', async () => {
    await SHELLS[shell]!(script, 'status ');
    expect(existsSync('run')).toBe(false);
  });
});

test('an unknown shell is refused with the list of known ones', async () => {
  expect(await runHere(['completion', 'tcsh'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('bash, zsh, fish'),
  });
});
