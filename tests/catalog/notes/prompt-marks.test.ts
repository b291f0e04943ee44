import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findMark } from '../../../catalog/notes/prompt-marks.ts';
import { plan } from '../planning.ts';

it.each([
  ['a (flat:1.3) apple', '(flat:1.3)'],
  ['a (flat green : -.5) apple', '(flat green : -.5)'],
  ['a ((red)) apple', '((red))'],
  ['a [glossy] apple', '[glossy]'],
  ['a [cat:dog:0.5]', '[cat:dog:0.5]'],
  ['a {{red}} apple', '{{red}}'],
  ['an apple <lora:foo:0.8>', '<lora:foo:0.8>'],
  ['a <segment[1]:face>', '<segment[1]:face>'],
  ['a <cat-toy> on a table', '<cat-toy>'],
  ['embedding:easynegative, blurry', 'embedding:easynegative'],
  ['an apple BREAK a pear', 'BREAK'],
  ['an apple, BREAK, a pear', 'BREAK'],
  ['a cat AND a dog', 'AND'],
  ['hot::2 dog', 'hot::2'],
  ['a street|at night|in rain', 'a street|at night|in rain'],
  ['a fox —ar 16:9', '—ar 16:9'],
  ['a fox --ar16:9', '--ar16:9'],
  ['hot:: dog', 'hot::'],
  ['a fox --ar 16:9 --v 6', '--ar 16:9'],
  ['a fox --no trees', '--no trees'],
  ['a fox --tile', '--tile'],
  ['a (red fox)1.3', '(red fox)1.3'],
  ['a (red fox)++', '(red fox)++'],
  ['a red++ fox', 'red++'],
  ['("a fox", "a dog").blend(1, 1)', ').blend('],
  ['a fox\nNegative prompt: blurry', 'Negative prompt:'],
  ['a fox Steps: 20, Sampler: Euler a, CFG scale: 7', 'Steps: 20, Sampler:'],
  ['/imagine prompt: a fox', '/imagine prompt:'],
])('%s is noticed', (prompt, mark) => {
  expect(findMark(prompt)).toBe(mark);
});

it.each([
  'a big (red or blue) apple, (c) 2020',
  'a poster (ratio 16:9), at (10:30), John (3:16), scale (1:2)',
  'a quote [sic], with a note [1] and […]',
  'C++ and C# on a screen, std::vector and a::b',
  'a sign that says DO NOT BREAK GLASS and SALT AND PEPPER',
  'a sign that says "BREAK"',
  'Tom AND Jerry',
  'A fox | Stock photo | Example',
  'a fox — a red one — and a man —image of calm',
  'a fox -- red -- and a well--known dog',
  'x < y > z, a <person> and <b>bold</b>',
  'smileys :) :( ::',
  'a 6" nail, 50% off, 3:2, #1 dad & co.',
  'time: 3:45 pm (CET)',
])('prose is left alone: %s', (prompt) => {
  expect(findMark(prompt)).toBeNull();
});

it('no prompt of PartiPrompts is mistaken for marked-up text', () => {
  const table = readFileSync(new URL('../../catalogs/parti-prompts.tsv', import.meta.url), 'utf8');
  const prompts = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[0] ?? '');
  expect(prompts.filter((prompt) => findMark(prompt) !== null)).toEqual([]);
});

it('nor are words with ordinary punctuation', () => {
  const word = fc.constantFrom('a', 'red', 'Fox', 'B2B', "it's", '3:45', '16:9', 'IBM', '6"', 'well-known', '5%');
  const glue = fc.constantFrom(' ', ', ', '. ', ' – ', ' - ', '; ', ': ', ' & ', '/', ' (', ') ', '! ', '? ');
  const prose = fc.array(fc.tuple(word, glue), { maxLength: 12 }).map((parts) => parts.flat().join(''));
  fc.assert(
    fc.property(prose, (text) => {
      expect(findMark(text)).toBeNull();
    }),
  );
});

it('a plan counts the rows with marks, also in negative prompts, and shows the first mark', async () => {
  const { summary } = await plan(
    'prompt,negative_prompt,variants\nan apple,,\na pear,(blurry:1.4),2\na [green] plum,,\n',
  );
  expect(summary.marks).toEqual({ rows: 2, firstLines: [3, 4], example: '(blurry:1.4)' });
});
