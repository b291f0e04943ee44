import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Bundle, openBundle } from '../../../models/pixart/bundle.ts';
import { readVocabulary, vocabularyOf } from '../../../models/pixart/vocabulary.ts';

const ROOT = new URL('../../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');

type Objects = Record<string, { also: string[]; plural?: string }>;

describe.each(['pixart-icons', 'pixart-icons-4-steps'])('the vocabulary of %s', (name) => {
  const shipped = () => openBundle(new URL(`models/bundles/${name}`, ROOT).pathname);

  it('is what the model was trained on', async () => {
    const objects: Objects = JSON.parse(textOf('models/training/objects.json'));
    const { things } = JSON.parse(textOf(`models/bundles/${name}/vocabulary.json`));
    const names = Object.entries(objects).map(([thing, { also, plural = `${thing}s` }]) => [
      thing,
      [...new Set([...also, plural])].filter((other) => other !== thing).toSorted(),
    ]);
    expect(Object.entries(things)).toEqual(names);
  });

  it('is not part of its digest', async () => {
    expect(Object.keys((await shipped()).description.files)).not.toContain('vocabulary.json');
  });

  it('has a thing in each prompt of the example', async () => {
    const vocabulary = await readVocabulary(await shipped());
    const prompts = textOf('examples/catalog.csv')
      .split('\n')
      .slice(1, -1)
      .map((line) => /,("[^"]*"|[^,]*),/.exec(line)?.[1] ?? '');
    expect(prompts.length).toBeGreaterThan(15);
    expect(prompts.filter((prompt) => !vocabulary!.isNamedIn(prompt))).toEqual([]);
  });
});

describe('a name', () => {
  const { isNamedIn, things } = vocabularyOf({ 'light bulb': ['lamp'], cat: ["cat's head", 'cats'], fish: [] });

  it.each(['a flat Light-Bulb', 'LAMP', "A cat's head", 'two cats', 'ｃａｔ', 'light  bulb, red'])(
    'stands in %s',
    (text) => {
      expect(isNamedIn(text)).toBe(true);
    },
  );

  it.each(['a category', 'a light red bulb', 'bulb light', 'fishing', 'a light', ''])(
    'does not stand in %j',
    (text) => {
      expect(isNamedIn(text)).toBe(false);
    },
  );

  it('is found wherever it stands among other words', () => {
    const word = fc.stringMatching(/^[b-z]{1,8}$/).filter((text) => !isNamedIn(text) && text !== 'light');
    fc.assert(
      fc.property(fc.array(word), fc.constantFrom(...things), fc.array(word), (before, thing, after) => {
        expect(isNamedIn([...before, ...after].join(' '))).toBe(false);
        expect(isNamedIn([...before, thing, ...after].join(' '))).toBe(true);
      }),
    );
  });
});

describe('a bundle', () => {
  const withFile = async (text: string | null): Promise<Bundle> => {
    const folder = await mkdtemp(join(tmpdir(), 'pixart-vocabulary-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    if (text !== null) await writeFile(join(folder, 'vocabulary.json'), text);
    return { folder } as Bundle;
  };

  it('without one says nothing of what it can draw', async () => {
    expect(await readVocabulary(await withFile(null))).toBeNull();
  });

  it.each(['{', '[]', '{"format":2,"things":{"a":[]}}', '{"format":1,"things":{}}', '{"format":1,"things":{"a":"b"}}'])(
    'with %s in its place is told, with what to do',
    async (text) => {
      await expect(readVocabulary(await withFile(text))).rejects.toThrow(
        /vocabulary\.json is not a valid vocabulary; fix it, or remove it, which does not affect images/,
      );
    },
  );
});
