import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isWordless, losesWords } from '../../../catalog/notes/lost-words.ts';
import { PromptCheck, type PromptReader } from '../../../catalog/notes/prompt-notes.ts';
import { cleanCaption } from '../../../models/pixart/clean-caption.ts';
import { jobsOf } from '../planning.ts';

const check = async (catalog: string, vocabulary: PromptReader['vocabulary'] = null) => {
  const read = (prompt: string) => ({ text: cleanCaption(prompt), isCut: false, unknown: 'none' as const });
  const prompts = new PromptCheck({ maxTokens: 9, read, vocabulary });
  for (const job of await jobsOf(catalog)) prompts.add(job);
  return prompts.notes;
};

describe('a prompt that cleaning changes', () => {
  it('counts as empty if no word is left, also as a negative prompt', async () => {
    const notes = await check(
      'prompt,negative_prompt\n一只猫,\nfree shipping,\nok.computer,\nr2d2 robot,\n"a fox, red",低质量\n640x480,\n"“…”",\n',
    );
    expect(notes.emptyPrompts).toEqual({ rows: 6, firstLines: [2, 3, 4, 6, 7, 8] });
    expect(notes.cleanedPrompts).toEqual({
      rows: 7,
      changes: [
        { line: 2, column: 'prompt', before: '一只猫', after: '' },
        { line: 3, column: 'prompt', before: 'free shipping', after: '' },
        { line: 4, column: 'prompt', before: 'ok.computer', after: '' },
        { line: 5, column: 'prompt', before: 'r2d2 robot', after: 'robot' },
        { line: 6, column: 'negative_prompt', before: '低质量', after: '' },
        { line: 7, column: 'prompt', before: '640x480', after: '' },
        { line: 8, column: 'prompt', before: '“…”', after: expect.any(String) },
      ],
    });
  });

  it('is listed up to a hundred times, counted beyond that, and once for all variants of its row', async () => {
    const rows = Array.from({ length: 120 }, (_, i) => `a fox ${i} 猫,2`).join('\n');
    const { cleanedPrompts } = await check(`prompt,variants\n${rows}\n`);
    expect(cleanedPrompts.rows).toBe(120);
    expect(cleanedPrompts.changes).toHaveLength(100);
  });

  it.each([
    'a red fox, 4K',
    'A Café in Zürich – “naïve”',
    'black &amp; white',
    'it&#39;s a well-known fox',
    'half-and-half 50% off (new)',
    'a+b',
    'one,two,three',
    'ｆｕｌｌ ｗｉｄｔｈ',
    'a ﬁsh',
  ])('loses no words: %s', (prompt) => {
    expect(losesWords(prompt, cleanCaption(prompt))).toBe(false);
  });

  it('loses a word that occurred twice and is left once', () => {
    expect(losesWords('red fox red', 'red fox')).toBe(true);
    expect(losesWords('red fox red', 'fox red red')).toBe(false);
    expect(isWordless(' ., - ')).toBe(true);
    expect(isWordless('🍎')).toBe(false);
  });

  it('is rare among prompts that people wrote: five of PartiPrompts, which have "2x2"', () => {
    const table = readFileSync(new URL('../../catalogs/parti-prompts.tsv', import.meta.url), 'utf8');
    const prompts = table
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[0] ?? '');
    const losing = prompts.filter((prompt) => losesWords(prompt, cleanCaption(prompt)));
    expect(losing).toHaveLength(5);
    expect(losing.every((prompt) => prompt.includes('2x2'))).toBe(true);
  });
});

it('rows whose prompts name nothing that the model can draw are counted, unless reported for another reason', async () => {
  const vocabulary = { things: ['fox'], isNamedIn: (text: string) => text.includes('fox') };
  const catalog = 'prompt,negative_prompt,variants\na fox,a dog,\na dog,a fox,3\n一只猫,,\nan owl,,\n';
  expect((await check(catalog, vocabulary)).undrawablePrompts).toEqual({
    ...{ rows: 2, firstLines: [3, 5] },
    things: ['fox'],
  });
  expect((await check(catalog)).undrawablePrompts).toBeNull();
});
