import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Texts } from '../../../catalog/expansion/choices.ts';
import { looksLikeTemplate, parseTemplate, TemplateFault } from '../../../catalog/expansion/template.ts';
import { Terms } from '../../../catalog/expansion/terms.ts';

const noFiles = new Terms(() => Promise.resolve(null), 'the folder');

const textsOf = (template: string): Promise<Texts> => noFiles.textsOf(parseTemplate(template));

const all = ({ count, at }: Texts): string[] => Array.from({ length: Number(count) }, (_, i) => at(BigInt(i)).text);

describe('a template', () => {
  test.each([
    ['a {red|blue} cup', ['a red cup', 'a blue cup']],
    ['{a|b}{1|2}', ['a1', 'a2', 'b1', 'b2']],
    ['{red|dark {green|blue}} cup', ['red cup', 'dark green cup', 'dark blue cup']],
    ['a {very |}big cup', ['a very big cup', 'a big cup']],
    ['{}', ['']],
    ['{only}', ['only']],
    ['a | b', ['a | b']],
    ['\\{red\\|blue\\}', ['{red|blue}']],
    ['{a\\|b|c\\}}', ['a|b', 'c}']],
    ['C:\\temp \\\\ \\_\\_init\\_\\_', ['C:\\temp \\ __init__']],
    ['____ and a_b and __ ', ['____ and a_b and __ ']],
    ['$5 <b>', ['$5 <b>']],
    ['[a] [sic] a[0]', ['[a] [sic] a[0]']],
    ['[{a|b}]', ['[a]', '[b]']],
    ['[a\\|b]', ['[a|b]']],
    ['{a, b|c}', ['a, b', 'c']],
    ['{|@a|~b}', ['', '@a', '~b']],
    ['x__hair  y', ['x__hair  y']],
  ])('%s makes %j', async (template, texts) => {
    expect(all(await textsOf(template))).toEqual(texts);
  });

  test.each([
    ['a {red|blue', 'a "}" for every "{", or "\\{" for the character itself', '"{red|blue" at character 3'],
    ['a red} cup', 'a "{" before the "}", or "\\}" for the character itself', '"} cup" at character 6'],
    ['{a|{b}', 'a "}" for every "{", or "\\{" for the character itself', '"{a|{b}" at character 1'],
    ['{2$$a|b}', 'one alternative at a time, without a number and "$$"', '"2$$a|b}" at character 2'],
    ['{1-2$$a|b}', 'one alternative at a time, without a number and "$$"', '"1-2$$a|b}" at character 2'],
    [
      '{a|0.5::b}',
      'alternatives without weights; all are used, or sampled with equal probability',
      '"0.5::b}" at character 4',
    ],
    [
      '{a|{b|2::c}}',
      'alternatives without weights; all are used, or sampled with equal probability',
      '"2::c}}" at character 7',
    ],
    [
      '\u0024{x=red} cup',
      'no variables; write the text out, or "\\{" for a brace',
      '"\u0024{x=red} cup" at character 1',
    ],
    ['a <random:red|blue>', 'choices as {a|b} and terms as __name__', '"<random:red|blue>" at character 3'],
    [
      '__../secret__',
      'between "__" and "__" a name of letters, digits, single spaces, "-", "_" and "/"',
      '"__../secret__" at character 1',
    ],
    [
      'a __colours*__',
      'between "__" and "__" a name of letters, digits, single spaces, "-", "_" and "/"',
      '"__colours*__" at character 3',
    ],
    [
      'a {~red|blue} cup',
      'alternatives without "~", "@" or "!" before them; all are used, or sampled with --sample',
      '"~red|blue} cup" at character 4',
    ],
    [
      '{@red|blue}',
      'alternatives without "~", "@" or "!" before them; all are used, or sampled with --sample',
      '"@red|blue}" at character 2',
    ],
    [
      '{a|{! red|blue}}',
      'alternatives without "~", "@" or "!" before them; all are used, or sampled with --sample',
      '"! red|blue}}" at character 5',
    ],
    [
      '{red, blue} cup',
      '"|" between alternatives, or "\\{" for the character itself',
      '"{red, blue} cup" at character 1',
    ],
    ['a <wildcard[2]:x>', 'choices as {a|b} and terms as __name__', '"<wildcard[2]:x>" at character 3'],
    ['a <random[1-2]:x,y>', 'choices as {a|b} and terms as __name__', '"<random[1-2]:x,y>" at character 3'],
    ['<Alternate:x,y>', 'choices as {a|b} and terms as __name__', '"<Alternate:x,y>" at character 1'],
    ['<setvar[c]:red>', 'choices as {a|b} and terms as __name__', '"<setvar[c]:red>" at character 1'],
    ['a [cat|dog]', 'choices as {a|b}, or "\\|" for the character itself', '"[cat|dog]" at character 3'],
    ['||red|blue|| cup', 'choices as {a|b}, or "\\|" for the character itself', '"||red|blue|| cup" at character 1'],
    ['{% if x %}', 'choices as {a|b} instead of a Jinja template', '"% if x %}" at character 2'],
    ['a [[red, blue]]', 'choices as {a|b} instead of a list in [[ ]]', '"[[red, blue]]" at character 3'],
    [
      'a __hair  color__',
      'between "__" and "__" a name of letters, digits, single spaces, "-", "_" and "/"',
      '"__hair  color__" at character 3',
    ],
    [
      'a __ hair color __',
      'no space after the first "__" of terms or before the last, or "\\_"',
      '"__ hair color __" at character 3',
    ],
    [
      'a __~hair color__',
      'between "__" and "__" a name of letters, digits, single spaces, "-", "_" and "/"',
      '"__~hair color__" at character 3',
    ],
  ])('%s is refused with what was expected', (template, expected, found) => {
    expect(() => parseTemplate(template)).toThrow(new TemplateFault(expected, found));
  });

  it('of deeply nested braces is refused', () => {
    expect(() => parseTemplate('{'.repeat(20_000))).toThrow('braces at most 20 deep');
  });
});

type Tree = string | Tree[] | { oneOf: Tree[] };

const escaped = (text: string): string => text.replace(/[\\{}|_]/g, '\\$&');

const written = (tree: Tree): string => {
  if (typeof tree === 'string') return escaped(tree);
  return Array.isArray(tree) ? tree.map(written).join('') : `{${tree.oneOf.map(written).join('|')}}`;
};

const textsByHand = (tree: Tree): string[] => {
  if (typeof tree === 'string') return [tree];
  if (!Array.isArray(tree)) return tree.oneOf.flatMap(textsByHand);
  return tree.reduce<string[]>((before, part) => before.flatMap((a) => textsByHand(part).map((b) => a + b)), ['']);
};

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.string({ unit: fc.constantFrom(...'ab {}|_\\.é😀'), maxLength: 6 }),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.record({ oneOf: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
  ),
}));

test('any tree of choices, with any text in it, expands to the expected texts in the expected order', async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (anyTree) => {
      const byHand = textsByHand(anyTree);
      fc.pre(byHand.length <= 2000);
      const texts = await textsOf(written(anyTree));
      expect(texts.count).toBe(BigInt(byHand.length));
      expect(all(texts)).toEqual(byHand);
    }),
    { numRuns: 300 },
  );
});

test('a text that looks like a template is noticed', () => {
  for (const text of [
    'a {b|c}',
    'a __b__',
    '{a {b|c}}',
    'a __hair color__',
    '<random[1-2]:a,b>',
    '\u0024{x=a} b',
    '{a, b}',
    '||a|b||',
    '{% if x %}',
  ])
    expect(looksLikeTemplate(text), text).toBe(true);
  for (const text of ['a b', '{a} | b', 'a__b', '____', 'a_b_c', 'a | b', 'a __ b __ c', '<b>', '[a|b]'])
    expect(looksLikeTemplate(text), text).toBe(false);
});
