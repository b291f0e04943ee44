import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { openBundle } from '../../../models/pixart/bundle.ts';
import { loadTokenizer, type Tokenize } from '../../../models/pixart/tokenizer.ts';
import { GOLDEN } from './golden-case.ts';

const PROMPTS = fileURLToPath(new URL('../../catalogs/parti-prompts.tsv', import.meta.url));

type Expected = { catalog: number[][]; texts: { text: string; ids: number[] }[] };

describe.each(['tiny-epsilon', 'tiny-velocity'])('the tokenizer of %s', (name) => {
  const folder = path.join(GOLDEN, 'bundles', name);
  const expected: Expected = JSON.parse(readFileSync(path.join(GOLDEN, `stages/tokens-${name}.json`), 'utf8'));
  const prompts = readFileSync(PROMPTS, 'utf8').split('\n').slice(1).filter(Boolean);
  let tokenize: Tokenize;
  let limit: number;
  let eos: number;

  beforeAll(async () => {
    const bundle = await openBundle(folder);
    tokenize = await loadTokenizer(bundle);
    ({ maxTokens: limit, eosTokenId: eos } = bundle.description.tokenizer);
  });

  const truncated = (ids: number[]): number[] => (ids.length > limit ? [...ids.slice(0, limit - 1), eos] : ids);

  test('gives the ids of the Rust tokenizer for all 1,632 PartiPrompts', () => {
    const texts = prompts.map((line) => line.split('\t')[0]!);
    expect(texts).toHaveLength(1632);
    texts.forEach((text, i) => {
      const ids = expected.catalog[i]!;
      expect(tokenize(text), text).toEqual({ ids: truncated(ids), count: ids.length });
    });
  });

  test.each(expected.texts)('gives the ids of the Rust tokenizer for $text', ({ text, ids }) => {
    expect(tokenize(text)).toEqual({ ids: truncated(ids), count: ids.length });
  });

  test('keeps the end token of a text that is too long', () => {
    const { ids, count } = tokenize('a very long caption about many things '.repeat(20));
    expect(count).toBeGreaterThan(limit);
    expect(ids).toHaveLength(limit);
    expect(ids.at(-1)).toBe(eos);
  });
});

describe('loadTokenizer refuses', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tokenizer-'));
    await cp(path.join(GOLDEN, 'bundles/tiny-epsilon'), folder, { recursive: true });
  });

  afterEach(() => rm(folder, { recursive: true }));

  test('a Unigram tokenizer with byte_fallback', async () => {
    const file = path.join(folder, 'tokenizer.json');
    const definition = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify({ ...definition, model: { ...definition.model, byte_fallback: true } }));
    await expect(loadTokenizer(await openBundle(folder))).rejects.toThrow(UserError);
  });

  test('a bundle whose tokenizer is missing, and says what checks the others', async () => {
    await rm(path.join(folder, 'tokenizer.json'));
    const missing = loadTokenizer(await openBundle(folder));
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow(/tokenizer\.json: expected a tokenizer in JSON.*bundle verify/);
  });
});
