import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { runHere } from './run-here.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = path.join(ROOT, 'tests/golden/bundles/tiny-velocity');
const folder = mkdtempSync(path.join(tmpdir(), 'pixart-terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Sets a window title, clears the screen, sets a colour with a one-byte C1 sequence, and reverses the line. */
const ESCAPES = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e';
const LONG = 'k'.repeat(200_000);

async function said(name: string, content: string, ...options: string[]): Promise<string> {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  const { stdout, stderr } = await runHere(['plan', file, '--bundle', BUNDLE, '--store', folder, ...options]);
  return stdout + stderr;
}

const row = (more: object): string => `${JSON.stringify({ prompt: 'a fox', ...more })}\n`;

test.each([
  ['a key of JSON lines', 'a.jsonl', row({ [`x${ESCAPES}`]: 1 })],
  ['a key with only bidirectional controls', 'b.jsonl', row({ 'x\u202ey\u2066': 1 })],
  ['a doubled header', 'c.csv', `prompt,x${ESCAPES},x${ESCAPES}\na,b,c\n`],
  ['a header next to a missing one', 'd.csv', `x${ESCAPES}\na\n`],
  ['a size', 'e.csv', `prompt,size\na,${ESCAPES}\n`],
  ['a duplicate id', 'f.csv', `prompt,id\na,${ESCAPES}\nb,${ESCAPES}\n`],
  ['a file name', `g${ESCAPES}.csv`, 'prompt\na\n'],
  ['a name of terms', 'h.csv', `prompt\na __${ESCAPES}__ {b\n`],
  ['a key of 200,000 characters', 'i.jsonl', row({ [LONG]: 1 })],
  ['a doubled header of 200,000 characters', 'j.csv', `prompt,${LONG},${LONG}\na,b,c\n`],
  ['a line break in a key', 'k.jsonl', row({ 'x\nbatch night completed': 1 })],
])('%s moves no cursor and fills no screen', async (_, name, content) => {
  for (const options of [[], ['--json'], ['--expand']]) {
    const text = await said(name, content, ...options);
    expect(text).not.toBe('');
    expect(text).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    if (!options.includes('--json'))
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(2_000);
    expect(text).not.toMatch(/^batch night/m);
  }
});

test('an unknown argument is repeated without its escape sequences', async () => {
  const { stderr } = await runHere(['plan', `--x${ESCAPES}`]);
  expect(stderr).toContain('--x\\u001b]0;owned');
  expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
});

test('the command line writes output in one place only', () => {
  const files = readdirSync(path.join(ROOT, 'cli'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const writing = files.filter((file) =>
    /\.write\(|console\./.test(readFileSync(path.join(ROOT, 'cli', file), 'utf8')),
  );
  // The live display writes its own escape sequences; its lines are printable.
  expect(writing.toSorted()).toEqual(['display/live-display.ts', 'display/output.ts']);
});
